"""When a request may leave: rate, pauses, connections and credentials of one account."""

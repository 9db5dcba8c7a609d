"""One door to the network: requests over aiohttp, and what a failure makes certain."""

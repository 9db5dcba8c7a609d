phones = ["+4915112345678", {"phone": "+4916012345678", "a": "Ms", "callback_data": "id-2"}, ""]

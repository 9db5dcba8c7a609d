import aiohttp
async with aiohttp.ClientSession("http://127.0.0.1:8000") as session:
    async with session.post("/sign-ups", json={"phone": "+4917012345678"}) as reply:
        assert await reply.json() == {"outcome": "created", "error": ""}
assert [commit.phone for commit in sandbox.commits][-1] == "+4917012345678"

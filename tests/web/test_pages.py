"""The pages as a browser without script meets them, and what strangers do to them."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import aclosing, suppress
from html import unescape
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.export.languages import language_of
from asyncsdk.web.errors import FileRefusedError
from asyncsdk.web.multipart import FilePart, parts
from asyncsdk.web.showing import duration
from tests.rig import client_at, numbers
from tests.web.app import application
from tests.web.serving import ServerHere

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from asyncsdk import Client
    from asyncsdk.testing import SandboxThread
    from tests.web.serving import Visitor

SCRIPT = "<script>alert(1)</script>"
LIST = "\n".join(["Name;Mobil", *(f"N{at};{number}" for at, number in enumerate(numbers(30)))])


async def look(
    ann: Visitor, path: str, status: int = 200, headers: dict[str, str] | None = None
) -> str:
    async with ann.session.get(f"/uploads/{path}", headers=headers) as reply:
        assert reply.status == status, await reply.text()
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
        return await reply.text()


async def post(
    ann: Visitor, path: str, fields: Any = None, status: int = 200, **headers: str
) -> tuple[str, str]:
    """The page that a form leads to, and its path."""
    async with ann.session.post(f"/uploads/{path}", data=fields, headers=headers) as reply:
        assert reply.status == status, await reply.text()
        return await reply.text(), reply.url.path.removeprefix("/uploads/")


async def sent(ann: Visitor, content: str = LIST, name: str = "list.csv", **fields: str) -> str:
    """The path of a list that went up in a form."""
    form = aiohttp.FormData(fields)
    form.add_field("file", content.encode(), filename=name, content_type="text/csv")
    _, path = await post(ann, "lists", form)
    return path


async def at_rest(ann: Visitor, path: str) -> str:
    await ann.until(path.removeprefix("jobs/"))
    return await look(ann, path)


async def test_the_way_through_forms(
    here: Callable[..., ServerHere], sandbox: SandboxThread
) -> None:
    async with here().visited() as ann:
        path = await sent(ann, group_name="new one")
        assert "Mobil" in await look(ann, path)
        assert not sandbox.groups
        await post(ann, f"{path}/check", {"normalize": "DE", "phone": "Mobil", "a": "Name"})
        assert "Send 30 phones to new one" in await at_rest(ann, path)
        for _ in range(2):  # who clicks twice sends once
            await post(ann, f"{path}/start")
        assert "All 30 phones of this list are in the group" in await at_rest(ann, path)
        assert [commit.phone for commit in sandbox.commits] == numbers(30)
        assert "N29" in str(sandbox.phones(sandbox.commits[0].group_id))
        assert "30 created" in await look(ann, "")
        asked, _ = await post(ann, f"{path}/delete")
        assert "What it put into the group stays there" in asked
        assert "list.csv" in await look(ann, "")
        await post(ann, f"{path}/delete", {"sure": "yes"})
        assert "list.csv" not in await look(ann, "")
        assert "no such job" in await look(ann, path, 404)


async def test_what_comes_from_elsewhere_is_text(
    here: Callable[..., ServerHere], sandbox: SandboxThread
) -> None:
    sandbox.add_group(f"g{SCRIPT}")
    async with here().visited(user=f"ann{SCRIPT}") as ann:
        content = f'Mobil;"Note {SCRIPT}"\n+4915112345678;{SCRIPT}\n{SCRIPT};x\n'
        path = await sent(ann, content, f'"><img src=x>{SCRIPT}.csv')
        pages = [await look(ann, ""), await look(ann, path)]
        await post(ann, f"{path}/check", {"group_name": f"n{SCRIPT}", "phone": "Mobil"})
        pages.append(await at_rest(ann, path))
        await post(ann, f"{path}/start")
        pages.append(await at_rest(ann, path))
        pages.append(await look(ann, f"{path}/rows/created"))
        for page in pages:
            assert SCRIPT not in page
            assert "<img src=x" not in page
            assert SCRIPT in unescape(page)
            assert re.findall(r"<script\b[^>]*>", page) in (
                [f'<script src="{base}assets/page.js" defer>'] for base in ("", "../", "../../../")
            )


async def test_another_owner_sees_nothing(here: Callable[..., ServerHere]) -> None:
    server = here()
    async with server.visited() as ann, server.visited("eve") as eve:
        path = await sent(ann)
        assert "list.csv" not in await look(eve, "")
        for page in ("", "/live", "/undo", "/rows/created"):
            assert "list.csv" not in await look(eve, path + page, 404)
        for action in ("choose", "check", "group", "start", "stop", "resume", "undo", "delete"):
            await post(eve, f"{path}/{action}", {"sure": "yes"}, 404)
        assert "list.csv" in await look(ann, "")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
async def test_forms_of_other_sites_are_refused(
    here: Callable[..., ServerHere], headers: dict[str, str]
) -> None:
    async with here().visited() as ann:
        path = await sent(ann)
        page, _ = await post(ann, f"{path}/delete", {"sure": "yes"}, 403, **headers)
        assert "another site" in page
        form = aiohttp.FormData()
        form.add_field("file", b"+4915112345678\n", filename="x.csv")
        await post(ann, "lists", form, 403, **headers)
        assert (await look(ann, "")).count("list.csv") == 1


async def test_only_their_own_groups(
    here: Callable[..., ServerHere], sandbox: SandboxThread
) -> None:
    own, other = sandbox.add_group("own"), sandbox.add_group("other")
    async with here().visited(**{"X-Groups": f"[{own}]"}) as ann:
        page = await look(ann, "")
        assert f'value="{own}"' in page
        assert f'value="{other}"' not in page
        assert "group_name" not in page
        path = await sent(ann)
        for chosen in ({"group_id": str(other)}, {"group_name": "third"}):
            page, _ = await post(ann, f"{path}/group", chosen, 403)
            assert "yours to use" in page
        _, path = await post(ann, f"{path}/group", {"group_id": str(own)})
        assert [group.name for group in sandbox.groups] == ["own", "other"]


async def test_a_list_for_a_group_of_somebody_else_is_not_kept(
    here: Callable[..., ServerHere], sandbox: SandboxThread
) -> None:
    own, other = sandbox.add_group("own"), sandbox.add_group("other")
    async with here().visited(**{"X-Groups": f"[{own}]"}) as ann:
        form = aiohttp.FormData({"group_id": str(other)})
        form.add_field("file", b"+4915112345678", filename="list.csv")
        await post(ann, "lists", form, 403)
        for path in ("lists", "api/jobs"):
            url = f"/uploads/{path}?group_id={other}"
            how = "PUT" if path == "lists" else "POST"
            async with ann.session.request(how, url, data=b"+4915112345678") as reply:
                assert reply.status == 403
        assert await ann.ask("GET", "/jobs") == []


async def test_of_a_group_and_a_name_the_one_that_is_new_is_meant(
    here: Callable[..., ServerHere], sandbox: SandboxThread
) -> None:
    group = {"group_id": str(sandbox.add_group("old one"))}
    async with here().visited() as ann:
        path = await sent(ann, group_name="new one")
        for form, shown in (
            (group | {"group_name": "new one"}, "old one"),
            (group | {"group_name": "newer"}, "newer"),
            ({"group_id": "", "group_name": "newer"}, "newer"),
            (group | {"group_name": ""}, "old one"),
        ):
            page, _ = await post(ann, f"{path}/choose", form)
            assert f"<dt>Group</dt><dd>{shown}</dd>" in page


async def test_a_page_sends_nothing_but_what_it_shows(
    here: Callable[..., ServerHere], sandbox: SandboxThread
) -> None:
    async with here().visited() as ann:
        path = await sent(ann, group_name="new one")
        await post(ann, f"{path}/check", {"normalize": "DE", "phone": "Mobil"})
        shown = re.findall(r'name="(version)" value="(\d+)"', await at_rest(ann, path))
        await post(ann, f"{path}/group", {"group_name": "another"})  # in another window
        page, _ = await post(ann, f"{path}/start", dict(shown))
        assert "Send 30 phones to another" in page
        assert not sandbox.groups
        for _ in range(2):
            shown = re.findall(r'name="(version)" value="(\d+)"', page)
            await post(ann, f"{path}/start", dict(shown))
        assert "All 30 phones" in await at_rest(ann, path)
    assert [group.name for group in sandbox.groups] == ["another"]


@pytest.mark.parametrize("number", ["9" * 19, "9" * 30, "9" * 5000])
async def test_a_group_that_no_number_can_be_of(
    here: Callable[..., ServerHere], number: str
) -> None:
    async with here().visited() as ann:
        path = await sent(ann)
        await post(ann, f"{path}/group", {"group_id": number}, 409)
        patch = f'{{"group_id": {number}}}'
        headers = {"Content-Type": "application/json"}
        async with ann.session.patch(f"/uploads/api/{path}", data=patch, headers=headers) as reply:
            assert reply.status in {400, 422}
        async with ann.session.post(f"/uploads/api/jobs?group_id={number}", data=b"x") as reply:
            assert reply.status == 422
        assert len(await ann.ask("GET", "/jobs")) == 1


@pytest.mark.parametrize(
    ("asked", "language"),
    [("de-AT,de;q=0.9,en;q=0.8", "de"), ("fr, en", "en"), ("en-GB, de", "en"), ("x" * 9999, "en")],
)
async def test_it_speaks_the_language_of_the_browser(
    here: Callable[..., ServerHere], asked: str, language: str
) -> None:
    async with here().visited() as ann:
        page = await look(ann, "", headers={"Accept-Language": asked[:4000]})
        assert f'<html lang="{language}">' in page
        other = {"de": "en", "en": "de"}[language]
        async with ann.session.get(f"/uploads/?lang={other}", allow_redirects=False) as reply:
            cookie = reply.headers["Set-Cookie"]
            assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
        page = await look(
            ann, "", headers={"Accept-Language": asked[:4000], "Cookie": cookie.partition(";")[0]}
        )
        assert f'<html lang="{other}">' in page
        await look(ann, "?lang=xx")


async def test_another_language_leads_to_the_same_page(here: Callable[..., ServerHere]) -> None:
    async with here().visited() as ann:
        path = await sent(ann, group_name="new one")
        await post(ann, f"{path}/check", {"normalize": "DE", "phone": "Mobil"})
        await at_rest(ann, path)
        for query, words in (("?step=list", "Liste prüfen"), ("", "in die Gruppe new one senden")):
            page = await look(ann, path + query)
            (link,) = map(unescape, re.findall(r'href="(\?[^"]*lang=de)"', page))
            assert words in await look(ann, path + link, headers={"Cookie": "asyncsdk-lang=de"})
        for action in ("delete", "undo"):  # pages that answer forms are at no address
            page, _ = await post(ann, f"{path}/{action}", status=200 if action == "delete" else 409)
            assert "lang=" not in page.partition("</nav>")[0].partition("<body>")[2]


async def test_a_choice_that_makes_no_sense(here: Callable[..., ServerHere]) -> None:
    async with here().visited() as ann:
        path = await sent(ann)
        for fields in (
            {"phone": "Handy"},
            {"normalize": "XX"},
            {"encoding": "klingon"},
            {"skip_lines": "9" * 100, "group_id": "-1", "bare": "x", "existing": SCRIPT},
            {"delimiter": "\x00", "header": "maybe", "sheet": "Nowhere"},
        ):
            await post(ann, f"{path}/choose", fields)
            page = await look(ann, path)
            assert "list.csv" in page
            await post(ann, f"{path}/check", fields)
            await at_rest(ann, path)
        await post(ann, f"{path}/choose", {"x": "y" * (1 << 19)}, 422)


async def test_where_one_column_is_empty_another_is_read(
    here: Callable[..., ServerHere], sandbox: SandboxThread
) -> None:
    content = "Mobil;Festnetz\n0151 12345678;030 1234567\n;030 7654321\n0151 22345678;\n"
    wanted = ["+4915112345678", "+49307654321", "+4915122345678"]
    async with here().visited() as ann:
        path = await sent(ann, content, group_name="new one")
        page = await look(ann, path)
        assert "as found: Mobil" in page
        found = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', page))
        for chosen in ({"phone_or": "Festnetz"}, {"phone": "Mobil", "phone_or": "Festnetz"}):
            page, _ = await post(ann, f"{path}/choose", {"normalize": "DE"} | found | chosen)
            for column in ("Mobil", "Festnetz"):
                assert f'<option selected value="{column}">' in page
        await post(ann, f"{path}/check", {"normalize": "DE"} | found | chosen)
        await at_rest(ann, path)
        await post(ann, f"{path}/start")
        await at_rest(ann, path)
    assert [commit.phone for commit in sandbox.commits] == wanted


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ({"encoding": "klingon"}, 'value="klingon"'),
        ({"skip_lines": "500"}, 'value="500"'),
        ({"bare": "national"}, '<option value="national" selected>'),
        ({"mobile_only": "yes"}, 'value="yes" checked'),
    ],
)
async def test_a_choice_that_cannot_be_kept_can_be_changed(
    here: Callable[..., ServerHere], wrong: dict[str, str], shown: str
) -> None:
    async with here().visited() as ann:
        path = await sent(ann)
        page, _ = await post(ann, f"{path}/choose", {"a": "Name", "duplicates": "skip"} | wrong)
        assert "<details open>" in page
        assert shown in page
        assert '<option selected value="Name">' in page
        assert 'value="skip" checked' in page
        assert "--" not in page.partition("</form>")[0]
        assert "Check the list" not in page


async def test_what_a_rejects_file_notes_is_shown(here: Callable[..., ServerHere]) -> None:
    async with here().visited() as ann:
        path = await sent(ann, "Mobil\n0151 12345678\n0151\n", group_name="new one")
        await post(ann, f"{path}/check", {"normalize": "DE", "duplicates": "skip"})
        await at_rest(ann, path)
        await post(ann, f"{path}/start")
        await at_rest(ann, path)
        async with ann.session.get(f"/uploads/api/{path}/files/rejects.csv") as reply:
            rejects = await reply.text()
        page = await look(ann, await sent(ann, rejects, "rejects.csv"))
        assert '<option value="DE" selected>' in page
        assert re.search(r'id="duplicates"[^>]* checked', page)


async def test_refusals_are_in_the_language_of_the_page(here: Callable[..., ServerHere]) -> None:
    german = {"Accept-Language": "de"}
    columns = "Mobil;Mobil privat\n0151 12345678;\n;0151 22345678\n"
    async with here().visited() as ann:
        async with ann.session.put("/uploads/lists?name=a.csv", headers=german) as reply:
            assert reply.status == 422
            assert "die Datei ist leer" in await reply.text()
        async with ann.session.put("/uploads/lists?name=a.csv", data=columns.encode()) as reply:
            assert reply.status == 201
            path = f"jobs/{(await reply.json())['id']}"
        await post(ann, f"{path}/check", {"normalize": "DE"})
        await ann.until(path.removeprefix("jobs/"))
        page = await look(ann, path, headers=german)
        assert "bitte zuerst wählen: mehrere Spalten könnten die Telefonnummern sein" in page
        page, _ = await post(ann, f"{path}/group", {"group_id": "", "group_name": ""}, 409)
        assert "no group is chosen" in page


async def test_groups_that_cannot_be_read(sandbox: SandboxThread, tmp_path: Path) -> None:
    def client() -> Client:
        return client_at(sandbox.url, client_id=sandbox.client_id, api_key="wrong")

    server = ServerHere(application(tmp_path, client))
    async with server.visited() as ann:
        page = await look(ann, "")
        assert "The groups cannot be read at the moment" in page
        assert 'inputmode="numeric"' in page
    await server.end()


@pytest.mark.parametrize("name", ["", "page.py", "../router.py", "%2e%2e%2frouter.py", "page.css/"])
async def test_only_assets_are_served(here: Callable[..., ServerHere], name: str) -> None:
    async with here().visited() as ann, ann.session.get(f"/uploads/assets/{name}") as reply:
        assert reply.status == 404 or "page.css" in str(reply.url)


async def test_an_upload_without_a_file(here: Callable[..., ServerHere]) -> None:
    async with here().visited() as ann:
        empty = aiohttp.FormData()
        empty.add_field("file", b"", filename="")
        page, _ = await post(ann, "lists", empty, 422)
        assert "choose a file" in page
        page, _ = await post(ann, "lists", {"file": "text"}, 422)
        assert "no form with a file" in page
        nothing = aiohttp.FormData()
        nothing.add_field("file", b"", filename="list.csv")
        page, _ = await post(ann, "lists", nothing, 422)
        assert "the file is empty" in page
        assert await ann.ask("GET", "/jobs") == []


async def test_a_form_is_refused_at_the_limit(here: Callable[..., ServerHere]) -> None:
    async with here(max_file_bytes=1000).visited() as ann:
        form = aiohttp.FormData()
        form.add_field("file", b"+4915112345678\n" * 1000, filename="list.csv")
        page, _ = await post(ann, "lists", form, 413)
        assert "1,000 bytes" in page
        assert await ann.ask("GET", "/jobs") == []


@pytest.mark.parametrize(
    "request_line", ["POST /uploads/lists", "PUT /uploads/lists", "POST /uploads/api/jobs"]
)
async def test_who_leaves_amid_a_list_is_no_fault(
    here: Callable[..., ServerHere],
    request_line: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = here()
    async with server.visited() as ann:
        monkeypatch.setattr(logging.getLogger("uvicorn.error"), "handlers", [caplog.handler])
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = (
            f"{request_line} HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Length: 9999\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        writer.write(head.encode() + BEGUN + b'list.csv"\r\n\r\n+4915112345678\n')
        await writer.drain()
        await look(ann, "")
        writer.close()
        await writer.wait_closed()
        assert await ann.ask("GET", "/jobs") == []
    await server.end()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# -- forms with files ---------------------------------------------------------------------------


async def in_pieces(body: bytes, cuts: Sequence[int]) -> AsyncIterator[bytes]:
    start = 0
    for end in [*sorted(cut % (len(body) + 1) for cut in cuts), len(body)]:
        yield body[start:end]
        start = end


async def read_parts(
    body: bytes, cuts: Sequence[int], kind: str = "multipart/form-data; boundary=x"
) -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    """The fields, and the files with what is in them."""
    fields: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    name = ""
    async with aclosing(parts(in_pieces(body, cuts), kind)) as found:
        async for part in found:
            if isinstance(part, tuple):
                fields.append(part)
            elif isinstance(part, FilePart):
                name = part.name
                files[name] = b""
            elif part is not None:
                files[name] += part
    return fields, files


@given(
    st.lists(
        st.tuples(st.booleans(), st.text("aä \n", max_size=5), st.binary(max_size=60)), max_size=4
    ),
    st.lists(st.integers(min_value=0), max_size=6),
)
async def test_a_form_is_the_same_in_whatever_pieces_it_comes(
    given_parts: list[tuple[bool, str, bytes]], cuts: list[int]
) -> None:
    body, fields, files = b"", [], {}
    for at, (is_file, text, content) in enumerate(given_parts):
        if is_file:
            held = files[f"f{at}.csv"] = content.replace(b"--x", b"")
            head = f'form-data; name="file"; filename="f{at}.csv"\r\nContent-Type: text/csv'
        else:
            held = text.encode()
            fields.append((f"n{at}", text))
            head = f'form-data; name="n{at}"'
        body += f"--x\r\nContent-Disposition: {head}\r\n\r\n".encode() + held + b"\r\n"
    body += b"--x--\r\n"
    assert await read_parts(body, cuts) == (fields, files)


BEGUN = b'--x\r\nContent-Disposition: form-data; name="file"; filename="'


@given(
    st.sampled_from([b"", BEGUN]),
    st.binary(max_size=300),
    st.lists(st.integers(min_value=0), max_size=3),
)
async def test_whatever_comes_as_a_form_is_read_or_refused(
    start: bytes, body: bytes, cuts: list[int]
) -> None:
    with suppress(FileRefusedError):
        await read_parts(start + body, cuts)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x"]
)
async def test_what_is_no_form_is_refused(kind: str) -> None:
    with pytest.raises(FileRefusedError):
        await read_parts(b"--x--\r\n", [], kind)


@given(st.binary(max_size=60), st.integers(min_value=0), st.lists(st.integers(min_value=0)))
async def test_a_form_that_was_cut_short_is_refused(
    content: bytes, end: int, cuts: list[int]
) -> None:
    body = BEGUN + b'list.csv"\r\n\r\n' + content.replace(b"--x", b"") + b"\r\n--x--"
    with pytest.raises(FileRefusedError):
        await read_parts(body[: end % len(body)], cuts)


async def test_a_form_with_endless_fields_is_refused() -> None:
    field = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    with pytest.raises(FileRefusedError):
        await read_parts(field * 200 + b"--x--\r\n", [])
    with pytest.raises(FileRefusedError):
        await read_parts(field.replace(b"\r\nb", b"\r\n" + b"b" * 20_000) + b"--x--\r\n", [])


async def test_a_field_may_be_called_as_it_likes() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="filename"\r\n\r\ny\r\n--x--\r\n'
    assert await read_parts(body, []) == ([("filename", "y")], {})


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        *((0.1, "1 second"), (59.4, "59 seconds"), (59.6, "1 minute"), (3569, "59 minutes")),
        *((3590, "1 hour"), (5400, "1 hour 30 minutes"), (7170, "2 hours")),
    ],
)
def test_how_long_something_takes(seconds: float, told: str) -> None:
    assert duration(seconds, language_of("en", "asyncsdk.web")) == told


async def test_a_name_in_any_script() -> None:
    name = "Kunden Ä \U0001f600.csv"
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    body = f"--x\r\n{head}\r\n\r\nx\r\n--x--\r\n".encode()
    assert await read_parts(body, []) == ([], {name: b"x"})

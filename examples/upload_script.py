"""Upload a contact list from a script, print the report, and keep what was rejected.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=...
    GROUP=7116 python upload_script.py

`GROUP` is the id of your group, `CONTACTS` names the file (kontakte_de.csv beside this script by
default), and `REJECTS` the file that the rejected rows go to (rejects.csv): mend it, and give it as
`CONTACTS`, with another name as `REJECTS`; never the whole list again. To try it without an
account, start `asyncsdk sandbox`, export what it prints, and take its group.
"""

import asyncio
import os
import sys
from pathlib import Path

from asyncsdk import Client, UploadStopped
from asyncsdk.sources import read

CONTACTS = os.environ.get("CONTACTS", str(Path(__file__).with_name("kontakte_de.csv")))
REJECTS = os.environ.get("REJECTS", "rejects.csv")
GROUP = os.environ.get("GROUP", "")


async def main() -> int:
    if not GROUP.isdecimal():
        print("GROUP should be the id of the group to upload into", file=sys.stderr)
        return 2
    phones = read(CONTACTS, columns={"a": "Anrede", "b": "Nachname"})
    print(f"phones are in column {phones.mapping['phone'].column!r}")

    async with Client.from_env() as client:
        try:
            report = await client.phones.upload(int(GROUP), phones)
        except UploadStopped as stopped:  # the account of what was done until then is in it
            print(f"stopped: {stopped.cause}", file=sys.stderr)
            report = stopped.report

    print(report)
    for result in report.invalid[:10]:
        print(f"row {result.index + 1}: {result.phone.phone!r}: {result.error}")
    if not report.ok:
        count = report.to_rejects(REJECTS, phones)
        print(f"{count} rejected rows are in {REJECTS}, to be mended and uploaded in their turn")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

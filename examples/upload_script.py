"""Upload a contact list from a script, print the report, and keep what was rejected.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=...
    GROUP=7116 python upload_script.py

`CONTACTS` names the file (kontakte_de.csv beside this script by default), and `REJECTS` the file
that the rejected rows go to (rejects.csv). To try it without an account, start `asyncsdk sandbox`
and export what it prints.
"""

import asyncio
import os
import sys
from pathlib import Path

from asyncsdk import Client, UploadStopped
from asyncsdk.sources import read_csv

CONTACTS = os.environ.get("CONTACTS", str(Path(__file__).with_name("kontakte_de.csv")))
REJECTS = os.environ.get("REJECTS", "rejects.csv")


async def main() -> int:
    phones = read_csv(CONTACTS, mapping={"a": "Anrede", "b": "Nachname"})
    print(f"phones are in column {phones.mapping['phone'].column!r}")

    async with Client.from_env() as client:
        try:
            report = await client.phones.upload(int(os.environ["GROUP"]), phones)
        except UploadStopped as stopped:  # the account of what was done until then is in it
            print(f"stopped: {stopped.cause}", file=sys.stderr)
            report = stopped.report

    print(report)
    for result in report.invalid[:10]:
        print(f"row {result.index}: {result.phone.phone!r}: {result.error}")
    if not report.ok:
        count = report.to_csv(REJECTS, only=("invalid", "failed"))
        print(f"{count} rejected rows are in {REJECTS}")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

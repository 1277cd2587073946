"""What prove_sql.py runs inside each throw-away virtualenv: one probe, against one live server.

A probe connects, lets the server cut the connection, and calls again. It gives what each call did: nothing at all (it
worked), or the classes of what it raised. It knows nothing of the library files; the claims compare.

    python sql_proof/probes PROBE '{"port": 6379, "cut": [..], "server": "redis", "version": "7.4.1"}'
"""

import json
import os
import sys

import asyncio_probes  # noqa: F401
import dbapi_probes  # noqa: F401
import orm_probes  # noqa: F401
import redis_probes  # noqa: F401
import sqlalchemy_probes  # noqa: F401
from common import HERE, PROBES

HERE.update(json.loads(sys.argv[2]))
print("outcome:", json.dumps(PROBES[sys.argv[1]]()), flush=True)
os._exit(0)  # pools of several drivers keep threads or tasks that wait for a server

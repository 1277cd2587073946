"""A MongoDB server whose only task is to lose connections: it answers every command with something plausible, stores nothing, and
closes the connection in place of the answer to a request whose number is in `doomed`.
"""
import socket
import struct
import threading

import bson


class Server:
    def __init__(self):
        self.doomed = set()
        self.lost = []
        self.document = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, name="server", daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), name="server", daemon=True).start()

    def serve(self, connection):
        try:
            with connection, connection.makefile("rb") as stream:
                while header := stream.read(16):
                    length, request, _, code = struct.unpack("<iiii", header)
                    body = stream.read(length - 16)
                    if request in self.doomed:
                        self.lost.append(request)
                        return
                    answer = self.message(code, body)
                    if answer is not None:
                        kind, payload = answer
                        connection.sendall(struct.pack("<iiii", 16 + len(payload), 1, request, kind) + payload)
        except OSError:
            pass

    def message(self, code, body):
        if code == 2013:  # OP_MSG
            flags, = struct.unpack_from("<I", body)
            size, = struct.unpack_from("<i", body, 5)
            command = bson.decode(body[5:5 + size])
            reply = bson.encode(self.reply(command))
            # "More to come": an unacknowledged write.
            return None if flags & 2 else (2013, struct.pack("<I", 0) + b"\0" + reply)
        if code == 2004:  # OP_QUERY, for the first greeting only
            start = body.index(b"\0", 4) + 9
            size, = struct.unpack_from("<i", body, start)
            reply = bson.encode(self.reply(bson.decode(body[start:start + size])))
            return 1, struct.pack("<iqii", 8, 0, 0, 1) + reply
        return None

    def cursor(self, command, batch, more=0, key="firstBatch"):
        name = next(iter(command))
        return {"cursor": {"id": bson.Int64(more), "ns": f"{command.get('$db', 'admin')}.{command[name]}", key: batch}, "ok": 1.0}

    def reply(self, command):
        name = next(iter(command))
        me = f"127.0.0.1:{self.port}"
        # `n` is what the driver itself reads to count.
        rows = [{"_id": number, "n": 1, **self.document} for number in (1, 2)]
        match name.lower():
            case "hello" | "ismaster":
                return {
                    "helloOk": True, "isWritablePrimary": True, "ismaster": True, "secondary": False, "setName": "rs0", "setVersion": 1,
                    "hosts": [me], "me": me, "primary": me, "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000,
                    "maxWriteBatchSize": 100000, "minWireVersion": 0, "maxWireVersion": 21, "logicalSessionTimeoutMinutes": 30, "ok": 1.0,
                }
            case "find":
                if command.get("singleBatch") or command.get("limit"):
                    limit = abs(command.get("limit") or 2)
                    return self.cursor(command, rows[:limit])
                return self.cursor(command, rows, 42)
            case "aggregate":
                last = next(iter((command.get("pipeline") or [{}])[-1]), "")
                if last in ("$out", "$merge"):
                    return self.cursor(command, [])
                if "$changeStream" in next(iter(command.get("pipeline") or [{}])):
                    return {**self.cursor(command, [], 43), "operationTime": bson.Timestamp(1, 1)}
                if "cursor" in command and command["cursor"].get("batchSize") == 1:
                    return self.cursor(command, rows[:1])
                return self.cursor(command, rows, 42)
            case "getmore":
                name = f"{command.get('$db')}.{command.get('collection')}"
                if command["getMore"] == 43:
                    event = {"_id": {"_data": "1"}, "operationType": "insert", "fullDocument": rows[0]}
                    return {"cursor": {"id": bson.Int64(43), "ns": name, "nextBatch": [event]}, "ok": 1.0}
                return {"cursor": {"id": bson.Int64(0), "ns": name, "nextBatch": [{"_id": 3, **self.document}]}, "ok": 1.0}
            case "listcollections":
                return self.cursor(command, [{"name": "things", "type": "collection", "options": {}}])
            case "listindexes":
                return self.cursor(command, [{"v": 2, "key": {"_id": 1}, "name": "_id_"}])
            case "listdatabases":
                return {"databases": [{"name": "shop"}], "ok": 1.0}
            case "count":
                return {"n": 1, "ok": 1.0}
            case "distinct":
                return {"values": [1], "ok": 1.0}
            case "insert":
                return {"n": 1, "ok": 1.0}
            case "update":
                return {"n": 1, "nModified": 1, "ok": 1.0}
            case "delete":
                return {"n": 1, "ok": 1.0}
            case "findandmodify":
                return {"value": rows[0], "lastErrorObject": {"n": 1, "updatedExisting": True}, "ok": 1.0}
            case "buildinfo":
                return {"version": "7.0.0", "versionArray": [7, 0, 0, 0], "ok": 1.0}
        return {"ok": 1.0}

"""The library files, asked as the linter asks them: for one version, with some options on."""

import pathlib
import tomllib

DRIVERS = pathlib.Path(__file__).resolve().parent.parent.parent / "rules" / "python" / "drivers"


def release(text):
    """`1.2` as (1, 2, 0)."""
    parts = ["".join(c for c in part if c.isdigit()) or "0" for part in text.split(".")]
    return tuple(int(p) for p in (*parts, "0", "0")[:3])


def fits(requirement, version):
    """True if the version fulfils `>=3.9,<4`."""
    for part in (p.strip() for p in (requirement or "").split(",") if p.strip()):
        op = part[: 2 if part[1] == "=" else 1]
        bound = part[len(op) :]
        have, want = release(version), release(bound)
        if op == "==":
            width = bound.count(".") + 1
            have, want = have[:width], want[:width]
        if not {"<": have < want, "<=": have <= want, ">": have > want, ">=": have >= want, "==": have == want}[op]:
            return False
    return True


def aliases():
    """Those of all files: a layer passes on what a driver raises."""
    found = {}
    for path in DRIVERS.glob("*.toml"):
        found |= tomllib.loads(path.read_text()).get("aliases", {})
    return found


class Library:
    aliases = aliases()

    def __init__(self, name, version, packages=()):
        self.file = tomllib.loads((DRIVERS / f"{name}.toml").read_text())
        self.version = version
        self.packages = packages

    def canonical(self, path):
        for key, to in self.aliases.items():
            if key.endswith(".*") and path.startswith(key[:-1]):
                path = to[:-1] + path[len(key) - 1 :]
        return self.aliases.get(path, path)

    def retry(self, behaviour, on=()):
        """How often a call is repeated, with these options and flags."""
        for gate in self.file["behaviours"][behaviour]:
            if fits(gate.get("versions"), self.version):
                strength = ["never", "once", "many"]
                held = [r for names, r in gate.get("with", {}).items() if set(names.split("+")) <= set(on)]
                return max(held, key=strength.index) if held else gate["retry"]
        return "never"

    def lineage(self, key):
        """A type and its bases, as far as they are in this file."""
        while spec := self.file["types"].get(key):
            yield spec
            key = spec.get("base")

    def kind(self, key):
        return next((s["connection"] for s in self.lineage(key) if "connection" in s), None)

    def call(self, path):
        key, name = path.split(".")
        groups = (s.get(group, {}) for s in self.lineage(key) for group in ("methods", "class_methods"))
        return next((group[name] for group in groups if name in group), {})

    def when(self, call, field, given):
        """What the first override that holds says of a field, else the call itself."""
        for when in call.get("when", []):
            names = when["arg"] if isinstance(when.get("arg"), list) else [when.get("arg")]
            value = next((given[n] for n in names if n in given), None)
            holds = fits(when.get("versions"), self.version)
            holds = holds and ("is" not in when or value == when["is"])
            holds = holds and ("given" not in when or when["given"] == (value is not None))
            if holds and "flag" not in when:
                return when.get(field, call.get(field))
        return call.get(field)

    def losses(self, key=None, flag=None):
        own = next((s["loss"] for s in self.lineage(key) if "loss" in s), None) if key else None
        for loss in own or self.file["errors"]["loss"]:
            here = loss.get("package") is None or loss["package"] in self.packages
            if here and fits(loss.get("versions"), self.version) and loss.get("flag") in (None, flag):
                return loss
        return {"classes": []}

    def caught(self, mro, names):
        """True if a handler of these classes gets an error with this MRO."""
        wanted = {self.canonical(n) for n in names}
        return any(self.canonical(c) in wanted for c in mro)

    def offers(self, option, on):
        """True if the option, missing there, is reported in this version (RL302)."""
        return any(
            o["name"] == option and on in o["on"] and o.get("missing") and fits(o.get("versions"), self.version)
            for o in self.file.get("options", [])
        )

    def broken(self, path):
        entries = (b for b in self.file.get("broken", []) if b["path"] == path and "only" not in b)
        return any(fits(b.get("versions"), self.version) for b in entries)

    def lookalike(self, mro):
        """True if a class of this MRO is said never to arrive."""
        names = self.file["errors"].get("lookalikes", {})
        return any(c in names or any(n.endswith(".*") and c.startswith(n[:-1]) for n in names) for c in mro)

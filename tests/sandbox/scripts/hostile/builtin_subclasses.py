# expect: refused
meta = {"name": "builtin-subclasses", "description": "from a tuple to every class there is"}

async def main(args):
    around = "_" * 2
    def named(value, name):
        return getattr(value, around + name + around)
    for kind in named(named(named((), "class"), "base"), "subclasses")():
        if hasattr(kind, "get_data") and hasattr(kind, "path_stats"):
            return kind("x", args["secret_path"]).get_data(args["secret_path"]).decode()
        for inner in named(kind, "subclasses")() if "FileLoader" in str(kind) else ():
            return inner("x", args["secret_path"]).get_data(args["secret_path"]).decode()

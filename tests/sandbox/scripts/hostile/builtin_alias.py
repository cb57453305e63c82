# expect: refused
meta = {"name": "builtin-alias", "description": "exec under another name"}

async def main(args):
    run = exec
    return run("open(path, 'w').close()", {"path": args["canary_path"]})

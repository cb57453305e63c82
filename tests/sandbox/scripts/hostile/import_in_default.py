# expect: refused
meta = {"name": "import-in-default", "description": "an import inside a default value"}

async def main(args):
    def run(system=__import__("os")):
        return system.popen("cat " + args["secret_path"]).read()
    return run()

# expect: refused
meta = {"name": "import-policy", "description": "the library that the policy stands on"}

from RestrictedPython import transformer

async def main(args):
    return transformer.textwrap.re.enum.sys.modules["os"].popen("cat " + args["secret_path"]).read()

# expect: refused
meta = {"name": "name-budget-as-guard", "description": "a budget is opened under the name of a guard"}

import json

async def main(args):
    with budget(5) as _write_:
        json.loads = open
    return json.loads(args["secret_path"]).read()

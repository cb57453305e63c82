# expect: refused
meta = {"name": "name-annotated-meta", "description": "the annotation of a variable at the top level"}

report: open(args["canary_path"], "w") = 1

async def main(args):
    return report

# expect: refused
meta = {"name": "import-threads", "description": "a thread that outlives main"}

import _thread

async def main(args):
    _thread.start_new_thread(lambda: open(args["canary_path"], "w").close(), ())
    for _ in range(1_000_000):
        pass
    return 1

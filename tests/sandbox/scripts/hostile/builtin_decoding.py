# expect: contained
meta = {"name": "builtin-decoding", "description": "the encodings that str itself takes"}

async def main(args):
    return [str(("a-" * 50_000).encode(), name, "replace") for name in ("punycode", "idna", "unicode_escape")]

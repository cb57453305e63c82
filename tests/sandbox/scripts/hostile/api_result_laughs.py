# expect: contained
meta = {"name": "api-result-laughs", "description": "a result that is small in memory and endless as text"}

async def main(args):
    nest = ["x"]
    for _ in range(60):
        nest = [nest, nest]
    return nest

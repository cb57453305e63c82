"""One prompt to several providers, as `mco review` and `mco run --prompt` ask it: the request, its checks, its tree."""

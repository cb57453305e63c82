"""From a step to its answer: admission, reuse, fan-out over providers, retries, budget."""

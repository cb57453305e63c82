"""Working copies for agents that write: git worktrees, the patches that come of them, and their way back."""

"""The record of a run: events, the stream that orders them, the journal that keeps them, the view that folds them."""

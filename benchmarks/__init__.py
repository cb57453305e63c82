"""Figures: what mco costs, as ratios against a floor measured in the same run. `make bench` runs all of them."""

"""Questions with a budget, measured side by side in one run: `kuaijing bench`."""

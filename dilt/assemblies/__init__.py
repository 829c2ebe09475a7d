"""Core and specialists put together without training them together, and how they are read out."""

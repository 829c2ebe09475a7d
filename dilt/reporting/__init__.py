"""What is shown: figures, captions, the page, costs."""

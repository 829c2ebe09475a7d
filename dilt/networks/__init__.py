"""Networks: built, filled with weights, looked through, run on images."""

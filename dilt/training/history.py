"""What a training was like, epoch by epoch."""

History = list[dict[str, float]]


def improved(history: History) -> bool | None:
    """Whether a training ended better than after its first epoch, by training loss or validation accuracy.

    None for a single epoch, which cannot tell.
    """
    if len(history) < 2:
        return None
    first, last = history[0], history[-1]
    return last["train_loss"] < first["train_loss"] or last["validation_accuracy"] > first["validation_accuracy"]

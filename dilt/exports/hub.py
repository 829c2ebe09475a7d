"""Pushes exported folders to the Hugging Face Hub; tokens and the hub's address are found as huggingface_hub does."""

from __future__ import annotations

from pathlib import Path

from dilt.exports import programs
from dilt.exports.export_folder import FILES, README


def require_name(repository: str) -> None:
    """Make sure that a repository has a name that the hub takes, OWNER/NAME; raises ValueError."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise ValueError(f"--push-to: '{repository}' is no repository ({error}); give OWNER/NAME") from error


def push(folder: Path, repository: str, public: bool = False) -> str:
    """Upload what `export_folder` wrote, as one commit, to a repository that is made if need be; gives its address.

    Token, endpoint and offline mode are huggingface_hub's: ``hf auth login``, ``HF_TOKEN``, ``HF_ENDPOINT``,
    ``HF_HUB_OFFLINE``. Nothing is uploaded before the hub has said whose the token is and that the card is right.

    Args:
        public: for all to see, if the repository is made now; one that is there already stays as it is.

    Raises:
        ValueError: there is no token, the hub cannot be reached, or it refuses; the folder is as it was.
    """
    from huggingface_hub import HfApi, ModelCard
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    api = HfApi(library_name="dilt")
    try:
        api.whoami()
        ModelCard.load(folder / README).validate()
        made = api.create_repo(repository, private=not public, exist_ok=True)
        api.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            allow_patterns=list(FILES),
            delete_patterns=list(programs.FILES.values()),  # of an earlier export, unless they are written again
            commit_message="Export of dilt",
        )
    except (OSError, ValueError, HTTPError) as error:
        reason = " ".join(str(error).split()).rstrip(".")[:300]
        # What else lies in the folder stays; programs of an earlier export have to go by hand.
        ours = " ".join(f"--include {name}" for name in FILES if (folder / name).exists())
        again = f"hf upload {repository} {folder} {ours}{'' if public else ' --private'}"
        raise ValueError(
            f"{repository}: not pushed ({reason}); {folder} is written, and once this is mended, `{again}` pushes it"
        ) from error
    return str(made)

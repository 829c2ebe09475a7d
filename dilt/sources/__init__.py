"""Images where they lie: folders, tar files, known data sets, timm's readers; found, labelled, decoded."""

"""Images where they lie: folders, tar files, layouts of known data sets, timm's readers; found, labelled, decoded.

Imports settings, foundations and jobs.
"""

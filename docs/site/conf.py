# SPDX-License-Identifier: AGPL-3.0-or-later
# How Sphinx makes a site of the documents; tools/site runs it in a copy of them, in which this file and
# index.rst lie beside README.md. Nothing is loaded from elsewhere, so the site works without a network.
project = "pve-storage-ontapnvme"
extensions = ["myst_parser"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
# Links to headings are checked as well, by the names that a forge gives them.
myst_heading_anchors = 4
# Quotes and dashes stay as they are typed: much of it is meant to be copied.
smartquotes = False
html_theme = "alabaster"
html_theme_options = {"page_width": "80em", "sidebar_width": "17em", "fixed_sidebar": True, "show_powered_by": False}
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_use_index = False
html_domain_indices = False

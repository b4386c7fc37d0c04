# shellcheck shell=bash
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# shellcheck disable=SC2034,SC2154,SC2317 # read in by `life`, whose checks and names it uses
#
# The package of the web interface, on a node whose pve-manager is upgraded: its line is in the template
# of each, and with the package it is gone byte for byte.

readonly gui=$package-gui
readonly template=/usr/share/pve-manager/index.html.tpl

# The template as the package NAME of Proxmox's has it.
original() { dpkg-deb --fsys-tarfile "/stand-ins/$1.deb" | tar --extract --to-stdout ".$template"; }
is_original() { cmp "$template" <(original "$1"); }
has_line() {
    [[ $(grep -c pve-storage-ontapnvme "$template") == 1 ]] &&
        cmp <(grep -v pve-storage-ontapnvme "$template") <(original "$1") &&
        grep -A 1 pvemanagerlib.js "$template" | grep -qF "src=\"/pve2/js/pve-storage-ontapnvme.js?ver="
}
panel_is_there() { [[ -s /usr/share/pve-manager/js/pve-storage-ontapnvme.js && -s /usr/share/pve-manager/js/pve-storage-ontapnvme.html ]]; }
bring_unknown() { dpkg --install /stand-ins/unknown-manager.deb 2>&1 | tee "$log.unknown"; }
says_it_is_left() { grep "'$template' is left as it is" "$log.unknown"; }
gui_is_gone() { ! find /usr /var/lib/dpkg/info \( -name '*ontapnvme-gui*' -o -path '*pve-manager*ontapnvme*' \) -print | grep .; }

says 'the package of the web interface is installed' install "$gui=$new"
says '  without the plugin' not is_installed "$package"
says '  its files are there' panel_is_there
says '  its line is in the template' has_line pve-manager
says 'it is installed once more' install --reinstall "$gui=$new"
says '  its line is there once' has_line pve-manager
says 'pve-manager brings another template' dpkg --install /stand-ins/next-manager.deb
says '  its line is in that one' has_line next-manager
says 'pve-manager brings one that is not known' bring_unknown
says '  one line says so' says_it_is_left
says '  it is left alone' is_original unknown-manager
says '  no half-installed package is left' is_whole
says 'pve-manager goes back' dpkg --install /stand-ins/next-manager.deb
says '  its line is there again' has_line next-manager
says 'it is removed' apt-get -q -y remove "$gui"
says '  the template is as pve-manager brought it' is_original next-manager
says 'it is installed again' install "$gui=$new"
says '  its line is there' has_line next-manager
says 'it is purged' apt-get -q -y purge "$gui"
says '  the template is as pve-manager brought it' is_original next-manager
says '  no part of it is left' gui_is_gone
says '  no half-installed package is left' is_whole

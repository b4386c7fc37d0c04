# shellcheck shell=bash
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# For scripts that need trees of Debian releases; to be sourced. Trees lie in one cache folder outside
# the checkout and are made from where this machine's apt gets its own Debian. The script that sources
# this sets `program`, which begins its error messages.

debian_cache=${ONTAPNVME_LAB_CACHE:-/var/cache/ontapnvme-lab}
debian_checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

fail() {
    echo "${program:?}: $*" >&2
    exit 1
}

# shellcheck disable=SC1091 # a file of the machine
own_release() { . /etc/os-release && echo "${VERSION_ID:-}"; }

codename_of() {
    case $1 in
        12) echo bookworm ;;
        13) echo trixie ;;
        *) fail "Debian '$1' is not known here: choose 12 or 13" ;;
    esac
}

# Silent, unless it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "'$*' failed"
    fi
    rm -f "$log"
}

# apt prints its progress on a terminal otherwise, and a question would hang the run.
apt() { DEBIAN_FRONTEND=noninteractive quietly apt-get -q -y --no-install-recommends "$@"; }

updated=
update_once() {
    [[ -n $updated ]] || apt update
    updated=1
}

# install_packages PACKAGE...: on this machine, what is missing of them.
install_packages() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || fail "not root, and these packages are missing: ${missing[*]}"
    update_once
    apt install "${missing[@]}"
}

# Two that start together must not prepare the same folder at once. Held until the script ends, or
# unlock_cache.
lock_cache() {
    mkdir -p "$debian_cache"
    exec 9>"$debian_cache/lock"
    flock 9
    # Leftovers of a run that was ended half-way; the lock says nobody is using them.
    rm -rf --one-file-system "$debian_cache"/tree.??????
}
unlock_cache() { exec 9>&-; }

# Where this machine gets Debian from: the first configured archive of its own release.
debian_mirror() {
    # shellcheck disable=SC2016 # apt expands these, not the shell
    apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' \
        'Created-By: Packages' |
        awk -F'|' -v want="$1" '$1 == "Debian" && $2 == want && $3 == "main" && !found++ { print $4 }'
}

# Prints the path of a file with the archives of a Debian release: where this machine gets its own
# from.
debian_sources() {
    local codename=$1 state=$debian_cache/apt-$1
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg own mirror security
    own=$(codename_of "$(own_release)")
    mirror=$(debian_mirror "$own")
    if [[ -z $mirror ]]; then
        # A bare machine may not have asked its archives for anything yet.
        update_once
        mirror=$(debian_mirror "$own")
    fi
    [[ -n $mirror ]] || fail "apt has no Debian archive of its own release to find $codename beside"
    security=$(debian_mirror "$own-security")
    mkdir -p "$state/parts"
    {
        printf 'Types: deb\nURIs: %s\nSuites: %s %s-updates\nComponents: main\nSigned-By: %s\n' \
            "$mirror" "$codename" "$codename" "$keyring"
        [[ -z $security ]] ||
            printf '\nTypes: deb\nURIs: %s\nSuites: %s-security\nComponents: main\nSigned-By: %s\n' \
                "$security" "$codename" "$keyring"
    } >"$state/parts/debian.sources"
    echo "$state/parts/debian.sources"
}

# The packages that the plugin and its tests are built from, by debian/control.
build_dependencies() {
    echo build-essential
    # Restrictions are profiles of the build: without any, tests are built and no more.
    perl -MDpkg::Control::Info -MDpkg::Deps -e '
        my $field = Dpkg::Control::Info->new($ARGV[0])->get_source->{"Build-Depends"};
        my $needed = deps_parse($field, build_dep => 1, reduce_restrictions => 1,
            build_profiles => []) // die("cannot read $ARGV[0]\n");
        deps_iterate($needed, sub { print(shift->{package}, "\n") })' "$debian_checkout/debian/control"
}

# make_tree NAME RELEASE PACKAGE...: the tree NAME of the cache folder, of that release with these
# packages and what they need. Nothing to do when it is there. Under lock_cache.
make_tree() {
    local name=$1 release=$2 packages work sources codename
    shift 2
    packages=$(printf '%s\n' "$@" | sort -u | paste -sd,)
    [[ ! -e $debian_cache/$name.has || $(<"$debian_cache/$name.has") != "$packages" ]] || return 0
    ((EUID == 0)) || fail "not root: only root can make a tree of Debian $release"
    codename=$(codename_of "$release")
    sources=$(debian_sources "$codename")
    work=$(mktemp -d "$debian_cache/tree.XXXXXX")
    # Its mounts end with it, whatever ends it: nothing of this machine is ever below that folder. A tree
    # can be made again, so dpkg need not wait for the disk at each file, neither now nor in a layer.
    quietly unshare --mount --pid --fork --kill-child mmdebstrap --quiet --mode=root \
        --variant=minbase ${packages:+--include="$packages"} \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io "$codename" "$work/tree" "$sources"
    # A link is what is left of this machine before its upgrade.
    rm -rf "$debian_cache/$name.has" "${debian_cache:?}/$name"
    mv "$work/tree" "$debian_cache/$name"
    echo "$packages" >"$debian_cache/$name.has"
    rmdir "$work"
}

# in_layer [--network] [--bind FROM:TO]... TREE LAYER COMMAND...: runs a command as root in a tree of
# the cache folder, as on a machine of its own: without network unless asked for, with the folders that
# are named. What it writes lands in the folder LAYER, where a later call with the same LAYER finds
# it; the tree stays as it is.
in_layer() {
    local network=--net binds=()
    while [[ $1 == --* ]]; do
        case $1 in
            --network) network=; shift ;;
            --bind) binds+=("$2"); shift 2 ;;
            *) fail "in_layer has no option '$1'" ;;
        esac
    done
    ((EUID == 0)) || fail "not root: only root can enter a tree of Debian"
    local tree=$debian_cache/$1 layer=$2
    shift 2
    mkdir -p "$layer"/{root,upper,work}
    # Nothing of the machine's environment means the same in there, but where the network is.
    local environment=(HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    local name
    for name in http_proxy https_proxy no_proxy; do
        [[ -z $network ]] || continue
        [[ -z ${!name:-} ]] || environment+=("$name=${!name}")
    done
    # The mounts are in a namespace of their own, and go with the last process.
    # shellcheck disable=SC2016 # the inner shell expands these
    unshare --mount --pid --uts --fork --kill-child ${network:+"$network"} bash -euc '
        tree=$1 layer=$2 network=$3 count=$4
        shift 4
        root=$layer/root
        # Where layers cannot be had, as above the layers of a container, a copy does.
        mount -t overlay -o "lowerdir=$tree,upperdir=$layer/upper,workdir=$layer/work" overlay "$root" \
            2>/dev/null || [[ -d $root/usr ]] || cp -a --reflink=auto "$tree/." "$root"
        while ((count--)); do
            mkdir -p "$root${1#*:}"
            mount --bind "${1%%:*}" "$root${1#*:}"
            shift
        done
        mount --rbind /dev "$root/dev"
        mount -t proc proc "$root/proc"
        if [[ -n $network ]]; then
            ip link set lo up
        else
            touch "$root/etc/resolv.conf"
            mount --bind "$(readlink -f /etc/resolv.conf)" "$root/etc/resolv.conf"
        fi
        # No exec: process 1 of a namespace gets its orphans, which a test of processes would notice.
        chroot "$root" "$@" || exit
    ' in_layer "$tree" "$layer" "$network" "${#binds[@]}" ${binds[@]+"${binds[@]}"} \
        env -i "${environment[@]}" "$@" 9>&-
}

# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Node;

# One node of the cluster: the plugin in a process like PVE's daemons, and what its kernel shows.

use v5.36;

use Cwd            qw(abs_path);
use File::Basename qw(dirname);

use constant {PLUGIN => 'PVE::Storage::Custom::OntapNvmeTcpPlugin', CONNECTED_S => 180};

my $tests = dirname(dirname(dirname(dirname(abs_path(__FILE__)))));

# Installs what `stage` holds over the guest's root, as the package would.
sub new ($class, $journey, $name, $stage) {
    my $guest = $journey->{lab}->guest($name);
    $guest->must(['cp', '-a', "$stage/.", '/']);
    my $self = bless({name => $name, guest => $guest, journey => $journey}, $class);
    $self->{agent} = $guest->agent(PLUGIN, include => ["$tests/perl/lib"]);
    return $self;
}

sub name  ($self) { return $self->{name} }
sub guest ($self) { return $self->{guest} }
sub agent ($self) { return $self->{agent} }

# A hook, or a method of `class`; the caller's context is the hook's.
sub ask ($self, $request) {
    my $reply = $self->{agent}->ask({context => wantarray ? 'list' : 'scalar', $request->%*});
    $self->{journey}->heard($self, $_) for ($reply->{warnings} // [])->@*;
    die $reply->{error} if exists($reply->{error});
    return wantarray ? $reply->{result}->@* : $reply->{result}[0];
}

sub hook ($self, $method, @arguments) {
    return $self->ask({method => $method, args => \@arguments});
}

# Hooks get the storage first ($storeid, $scfg) or its section first ($scfg, $storeid).
sub storage ($self, $method, @arguments) {
    return $self->hook($method, $self->{journey}->storage, @arguments);
}

sub volume ($self, $method, @arguments) {
    return $self->hook($method, reverse($self->{journey}->storage), @arguments);
}

# Neither order. VOLUME@SNAPSHOT is the device of a snapshot.
sub path ($self, $volname) {
    my ($id,     $scfg) = $self->{journey}->storage;
    my ($volume, $snap) = split(/@/, $volname);
    return scalar($self->hook('path', $scfg, $volume, $id, $snap));
}

# Of the volume as it is now, attached to a running VM. This hook has an order of its own as well.
sub has_feature ($self, $feature, $volname) {
    my ($id, $scfg) = $self->{journey}->storage;
    return scalar($self->hook('volume_has_feature', $scfg, $feature, $id, $volname, undef, 1));
}

# What a task does: the calls of `$code` in a process of their own.
sub task ($self, $code) { return $self->{agent}->worker($code) }

# PVE's activate_storage: asked before nearly everything.
sub check ($self) {
    my ($id) = $self->{journey}->storage;
    $self->storage('check_connection') or die "storage '$id' is not online\n";
    $self->storage('activate_storage');
    return;
}

# The same for the first time on a node, as often as pvestatd would: connecting takes seconds under
# emulation, and more on a busy machine than a hook has. One live path is enough for it.
sub check_until_connected ($self) {
    my $deadline = time() + CONNECTED_S;
    my $polls    = 1;
    until (eval { $self->check; 1 }) {
        my $error = $@;
        die $error if $error !~ /no live data path/ || time() > $deadline;
        $polls++;
    }
    return $polls;
}

# The same until the paths to all `@portals` are live: a path that did not come up in one poll is the
# business of the next.
sub check_until_live ($self, @portals) {
    my $deadline = time() + CONNECTED_S;
    $self->check_until_connected;
    until ((grep { $self->{guest}->path_state($_) eq 'live' } @portals) == @portals) {
        die "the paths to @portals are not all live\n" if time() > $deadline;
        $self->check;
    }
    return;
}

# The refusal of the same that matches. A kernel whose handshake is cut off by the target at the wrong
# moment waits out its own 60 seconds before it says so; until then the paths are only not live yet.
sub check_until_refused ($self, $pattern) {
    my $deadline = time() + CONNECTED_S;
    while (1) {
        eval { $self->check; 1 } and die "it was not refused\n";
        my $error = $@;
        if ($error =~ $pattern) {
            chomp($error);
            return $error;
        }
        die "refused, but with other words: $error"
            if $error !~ /no live data path/ || time() > $deadline;
    }
}

# PVE's activate_volumes.
sub activate ($self, @volnames) {
    $self->check;
    $self->storage('activate_volume', $_, undef, {}) for @volnames;
    return;
}

sub deactivate ($self, @volnames) {
    $self->storage('deactivate_volume', $_, undef, {}) for @volnames;
    return;
}

# What the kernel has behind the link of a volume: name, UUID and size in bytes.
sub device ($self, $volname) {
    my $link = $self->path($volname);
    my $text = $self->{guest}->must("[[ -b $link ]] && d=\$(readlink -f $link) && echo \$d && "
            . 'cat /sys/block/${d##*/}/uuid && blockdev --getsize64 $d');
    my ($device, $uuid, $bytes) = split(/\n/, $text);
    return {path => $device, uuid => $uuid, bytes => $bytes};
}

# What each strategy of device resolution says here about a namespace of the array, and what is
# wrong with its size, if anything: {'by-uuid' => '/dev/nvme0n1', labels => '- why not'}. With
# `labels`, SVM and FlexVol are part of the proof.
sub resolve ($self, $ns, %options) {
    my $j    = $self->{journey};
    my $nqn  = $j->array->subsystem_nqn('pve_subsystem');
    my $text = $self->{guest}->must(
        [
            "$j->{build}/tests/lab/ontapnvme-resolve", $ns->{uuid},
            $nqn,                                      $ns->{space}{size},
            ($options{labels} // [])->@*
        ]
    );
    return {map { /\A(\S+) (.*)\z/ ? ($1 => $2) : () } split(/\n/, $text)};
}

# dd from `file` to the volume and the other way. Sizes are in units of `unit`, so that direct I/O
# stays aligned.
sub put ($self, $volname, $file, %place) {
    my $link = $self->path($volname);
    my $unit = $place{unit} // '1M';
    $self->{guest}
        ->must("[[ -b $link ]] && dd if=$file of=$link bs=$unit oflag=direct iflag=fullblock "
            . 'conv=notrunc status=none seek='
            . ($place{at} // 0));
    return;
}

# The SHA-256 of `count` units of the volume.
sub digest ($self, $volname, $count, %place) {
    my $link = $self->path($volname);
    my $unit = $place{unit} // '1M';
    my $flag = $place{buffered} ? 'fullblock' : 'direct';
    my $sum =
        $self->{guest}->must("set -o pipefail; [[ -b $link ]] && dd if=$link bs=$unit iflag=$flag "
            . "count=$count skip="
            . ($place{at} // 0)
            . ' status=none | sha256sum');
    return substr($sum, 0, 64);
}

# Every link of the plugin, and every namespace that the kernel has: nothing else here is NVMe.
sub links ($self) {
    return split(/\n/, $self->{guest}->must('find /dev/ontapnvme -type l 2>/dev/null || :'));
}

# A controller whose handshake was cut off goes only when the kernel has waited out its 60 seconds.
sub wait_until_no ($self, $pattern) {
    return $self->{guest}->wait_for("! compgen -G '$pattern'", timeout => 90);
}

1;

# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Hooks::Snapshots;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Border qw(at_border native marking);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_volume_name clean_snapshot_name);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Hooks::Snapshots - snapshots, which the array takes

=cut

sub volume_snapshot {
    my ($class, $scfg, $storeid, $volname, $snap) = @_;

    marking($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (clean_volume_name($volname), clean_snapshot_name($snap));
        $client->create_snapshot($name, $snapshot);
    });
    return undef;
}

sub volume_snapshot_delete {
    my ($class, $scfg, $storeid, $volname, $snap, $running) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (clean_volume_name($volname), clean_snapshot_name($snap));
        $client->delete_snapshot($name, $snapshot);
    });
    return undef;
}

sub volume_rollback_is_possible {
    my ($class, $scfg, $storeid, $volname, $snap, $blockers) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (clean_volume_name($volname), clean_snapshot_name($snap));
        my $newer = $client->rollback_blockers($name, $snapshot);
        return if !$newer->@*;
        push($blockers->@*, $newer->@*) if ref($blockers) eq 'ARRAY';
        my $names = join(', ', map { "'$_'" } $newer->@*);
        refuse('busy', "cannot roll back '$name' to snapshot '$snapshot': newer snapshots would be"
            . " lost: $names; delete them first");
    });
    return 1;
}

sub volume_snapshot_rollback {
    my ($class, $scfg, $storeid, $volname, $snap) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (clean_volume_name($volname), clean_snapshot_name($snap));
        $client->rollback($name, $snapshot);
    });
    return undef;
}

sub volume_snapshot_info {
    my ($class, $scfg, $storeid, $volname) = @_;

    return native($storeid, $scfg, sub ($client, $id) {
        my $name = clean_volume_name($volname);
        my $snapshots = $client->list_snapshots($name);
        return {
            map { $_->{name} => { id => $_->{id}, timestamp => $_->{create_time_s} } }
                $snapshots->@*
        };
    });
}

# The array knows nothing of what a container's kernel has not written yet.
sub volume_snapshot_needs_fsfreeze {
    return 1;
}

sub volume_qemu_snapshot_method {
    my ($class, $storeid, $scfg, $volname) = @_;

    return 'storage';
}

# Only for storages whose snapshots QEMU takes part in.
sub rename_snapshot {
    my ($class, $scfg, $storeid, $volname, $source, $target) = @_;

    return at_border($storeid, sub ($id) {
        my ($name, $snapshot) = (clean_volume_name($volname), clean_snapshot_name($source));
        refuse('unsupported', "cannot rename snapshot '$snapshot' of '$name': snapshots of this"
            . ' storage are the array\'s own and keep their names');
    });
}

1;

# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Hooks::Configuration;

use v5.36;

use PVE::Storage::OntapNvmeTcp qw(with_client check_settings);
use PVE::Storage::OntapNvmeTcp::Border qw(at_border);
use PVE::Storage::OntapNvmeTcp::ClusterId qw(ensure_cluster_id);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse is_ours line_about);
use PVE::Storage::OntapNvmeTcp::Messages qw(say_hint say_warning);
use PVE::Storage::OntapNvmeTcp::PrivateFiles qw(disk_memory_file);
use PVE::Storage::OntapNvmeTcp::Schema;
use PVE::Storage::OntapNvmeTcp::Secrets;
use PVE::Storage::OntapNvmeTcp::Sections qw(configured_sections);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Hooks::Configuration - a storage is added, changed, removed

=head1 DESCRIPTION

Called while Proxmox VE holds the lock on storage.cfg and before it is written; dying keeps it as it
is.

=over

=item on_add_hook

Stores the secrets and has the array verify everything. When that fails the secrets are removed
again: Proxmox VE calls no other hook then.

=item on_update_hook_full, on_update_hook

The section is the one before the change; a secret that is deleted is undef. The merged settings are
checked, by the array as well where they concern it; a C<vserver> of another name must be the SVM of
before. Policies that changed are set on the disks that
are there; where this fails a warning names the disks, which keep what they had. Only then are secrets
changed.

=item on_delete_hook

Only while the storage is empty, as far as the array can be asked: one that is gone for good must
not keep its storage. Also called when a new storage could not be activated: then its section does
not exist yet, and disks that are there were there before.

=back

=cut

my sub given_secrets ($sensitive) {
    my %given;
    for my $name (PVE::Storage::OntapNvmeTcp::Secrets::names()) {
        next if !defined($sensitive->{$name});
        # What it may be is the library's and the array's business; here it is one line.
        ($given{$name}) = $sensitive->{$name} =~ /\A([^\x00-\x1f\x7f]+)\z/
            or refuse('invalid-argument', "cannot use '$name': it must be one line of text");
    }
    return \%given;
}

my sub remove_secrets ($storeid) {
    my %none = map { $_ => undef } PVE::Storage::OntapNvmeTcp::Secrets::names();
    PVE::Storage::OntapNvmeTcp::Secrets::store($storeid, \%none);
    # What the cluster remembers of a storage's disks must not be taken for that of a later one.
    unlink(disk_memory_file($storeid));
    return;
}

my sub add ($storeid, $scfg, $sensitive) {
    my $given = given_secrets($sensitive);
    refuse(
        'invalid-argument', "cannot add the storage without a password; give one with '--password'",
    ) if !defined($given->{password});
    check_settings($storeid, $scfg);
    ensure_cluster_id();

    # What an earlier storage of that name may have left is replaced as well.
    my %all = map { $_ => $given->{$_} } PVE::Storage::OntapNvmeTcp::Secrets::names();
    PVE::Storage::OntapNvmeTcp::Secrets::store($storeid, \%all);
    unlink(disk_memory_file($storeid));
    my $done = eval {
        with_client($storeid, $scfg, sub ($client) { $client->verify() });
        1;
    };
    if ($done) {
        say_hint(line_about($storeid,
            "'ontapnvme qualify $storeid' tries how this array behaves, before its first disk"));
        return undef;
    }
    my $error = $@;
    eval { remove_secrets($storeid) };
    say_warning(line_about($storeid, "$@")) if $@;
    die $error;
}

# The settings before the change, if it concerns disks that are there. The library does not take wrong
# ones, which were written by hand and are now corrected: then as if there had been none.
my sub applied_before ($storeid, $scfg, $merged) {
    my @names = PVE::Storage::OntapNvmeTcp::Schema::applied_names();
    my $before = PVE::Storage::OntapNvmeTcp::Schema::settings($scfg);
    my $after = PVE::Storage::OntapNvmeTcp::Schema::settings($merged);
    return undef if !grep { ($before->{$_} // '') ne ($after->{$_} // '') } @names;
    return $before if eval { check_settings($storeid, $scfg); 1 };
    my $error = $@;
    die $error if !is_ours($error);
    delete($after->@{@names});
    return $after;
}

my sub update ($storeid, $scfg, $update, $delete, $sensitive) {
    my $given = given_secrets($sensitive);
    my %changed = map { $_ => $given->{$_} }
        grep { exists($sensitive->{$_}) } PVE::Storage::OntapNvmeTcp::Secrets::names();
    refuse('invalid-argument', 'cannot delete the password: the storage needs it')
        if exists($changed{password}) && !defined($changed{password});

    my %touched = map { $_ => 1 } keys($update->%*), $delete->@*;
    # Nothing of ours: such a change must work while the array is away.
    my $is_ours_touched = grep { $touched{$_} } PVE::Storage::OntapNvmeTcp::Schema::setting_names();
    return undef if !$is_ours_touched && !%changed;

    my %merged = ($scfg->%*, $update->%*);
    delete(@merged{ $delete->@* });
    check_settings($storeid, \%merged);

    if (($merged{storage_prefix} // '') ne ($scfg->{storage_prefix} // '')) {
        # Every disk would vanish from sight.
        with_client($storeid, $scfg, sub ($client) { $client->require_empty() });
    }
    if (%changed || grep { $touched{$_} } PVE::Storage::OntapNvmeTcp::Schema::verified_names()) {
        my %secrets = (PVE::Storage::OntapNvmeTcp::Secrets::load($storeid)->%*, %changed);
        delete(@secrets{ grep { !defined($secrets{$_}) } keys(%secrets) });
        my $before = applied_before($storeid, $scfg, \%merged);
        my $is_svm_named_anew = ($merged{vserver} // '') ne ($scfg->{vserver} // $merged{vserver} // '');
        with_client($storeid, \%merged, sub ($client) {
            $client->require_same_disks() if $is_svm_named_anew;
            $client->verify();
            # Disks that are there get what new ones would.
            $client->apply_changes($before) if $before;
        }, secrets => \%secrets);
    }
    PVE::Storage::OntapNvmeTcp::Secrets::store($storeid, \%changed);
    # The paths of running guests are not cut for this.
    say_warning("storage '$storeid': a node uses the changed secrets of the data paths from its next"
            . ' connection on; restart each node, one after the other')
        if grep { $_ ne 'password' } keys(%changed);
    return undef;
}

my sub remove ($storeid, $scfg) {
    # When storage.cfg cannot be read, the storage may well be in it.
    my $ids = configured_sections();
    my $is_new = defined($ids) && !exists($ids->{$storeid});
    my $done = eval {
        with_client($storeid, $scfg, sub ($client) {
            $client->require_empty() if !$is_new;
        });
        1;
    };
    my $error = $@;
    if (!$done) {
        # In conflict is an SVM that has another name by now: the disks are there. One that was made anew
        # under its name has none of them.
        die $error if !is_ours($error);
        my $is_replaced = ($error->facts()->{svm_state} // '') eq 'replaced';
        die $error if !$is_replaced && $error->code() =~ /\A(?:busy|conflict|interrupted)\z/;
        say_warning(line_about($storeid, 'not checked for disks: ' . $error->msg()));
    }

    my $is_forgotten = eval {
        with_client($storeid, $scfg, sub ($client) { $client->forget() });
        1;
    };
    if (!$is_forgotten) {
        my $reason = $@;
        die $reason if !is_ours($reason);
        # After a first warning a second one of the same cause says nothing new.
        say_warning(line_about($storeid, $reason->msg())) if $done;
    }
    remove_secrets($storeid);
    return undef;
}

sub on_add_hook {
    my ($class, $storeid, $scfg, %sensitive) = @_;

    return at_border($storeid, sub ($id) { add($id, $scfg, \%sensitive) });
}

# Hosts before API 13 pass neither the section nor what is deleted from it.
sub on_update_hook {
    my ($class, $storeid, $update, %sensitive) = @_;

    return at_border($storeid, sub ($id) {
        my $scfg = (configured_sections() // {})->{$id} // {};
        return update($id, $scfg, $update, [], \%sensitive);
    });
}

sub on_update_hook_full {
    my ($class, $storeid, $scfg, $update, $delete, $sensitive) = @_;

    return at_border($storeid, sub ($id) {
        return update($id, $scfg, $update // {}, $delete // [], $sensitive // {});
    });
}

sub on_delete_hook {
    my ($class, $storeid, $scfg) = @_;

    return at_border($storeid, sub ($id) { remove($id, $scfg) });
}

1;

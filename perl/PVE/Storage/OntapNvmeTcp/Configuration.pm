# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Configuration;

use v5.36;

use Exporter qw(import);
use Scalar::Util qw(refaddr);

use PVE::Storage::OntapNvmeTcp qw(with_client check_settings say_warning);
use PVE::Storage::OntapNvmeTcp::Border qw(refuse is_ours);
use PVE::Storage::OntapNvmeTcp::Schema;
use PVE::Storage::OntapNvmeTcp::Secrets;

our @EXPORT_OK = qw(
    configuration_added configuration_updated configuration_deleted
    configured_sections storage_id_of
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Configuration - a storage is added, changed, removed

=head1 DESCRIPTION

Called while Proxmox VE holds the lock on storage.cfg and before it is written; dying keeps it as it
is. Storage ids given to these functions are clean already. Errors are error objects.

=over

=item configuration_added($storeid, $scfg, \%sensitive)

Stores the secrets and has the array verify everything. When that fails the secrets are removed
again, since nobody else would.

=item configuration_updated($storeid, $scfg, \%update, \@delete, \%sensitive)

C<$scfg> is the section before the change; C<%sensitive> has undef for what goes. The merged
settings are checked, by the array as well where they concern it. Policies that changed are set on
the disks that are there; those where this fails are told in a warning, and keep what they had. Only
then are secrets changed.

=item configuration_deleted($storeid, $scfg)

Only while the storage is empty, as far as the array can be asked: one that is gone for good must
not keep its storage. Also called when a new storage could not be activated: then its section does
not exist yet, and disks that are there were there before.

=item configured_sections

What storage.cfg has, by storage id; empty where there is no Proxmox VE.

=item storage_id_of($scfg, $type)

Which storage a section is. Dies when there is none, or two that are alike: either would lead to the
same disk, but through its own links.

=back

=cut

sub configured_sections {
    my $get_config = PVE::Storage->can('config') or return {};
    return eval { $get_config->()->{ids} } // {};
}

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
    unlink(PVE::Storage::OntapNvmeTcp::Secrets::disk_memory_file($storeid));
    return;
}

sub configuration_added ($storeid, $scfg, $sensitive) {
    my $given = given_secrets($sensitive);
    refuse(
        'invalid-argument', "cannot add the storage without a password; give it with '--password'",
    ) if !defined($given->{password});
    check_settings($storeid, $scfg);
    PVE::Storage::OntapNvmeTcp::Secrets::ensure_cluster_id();

    # What an earlier storage of that name may have left is replaced as well.
    my %all = map { $_ => $given->{$_} } PVE::Storage::OntapNvmeTcp::Secrets::names();
    PVE::Storage::OntapNvmeTcp::Secrets::store($storeid, \%all);
    unlink(PVE::Storage::OntapNvmeTcp::Secrets::disk_memory_file($storeid));
    my $done = eval {
        with_client($storeid, $scfg, sub ($client) { $client->verify() });
        1;
    };
    return undef if $done;
    my $error = $@;
    eval { remove_secrets($storeid) };
    say_warning("storage '$storeid': $@") if $@;
    die $error;
}

# The settings before the change, if it concerns disks that are there. Wrong ones, which somebody wrote
# by hand and now corrects, are nothing that the library takes: then as if there had been none.
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

sub configuration_updated ($storeid, $scfg, $update, $delete, $sensitive) {
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
        with_client($storeid, \%merged, sub ($client) {
            $client->verify();
            # Disks that are there get what new ones would.
            $client->apply_changes($before) if $before;
        }, secrets => \%secrets);
    }
    PVE::Storage::OntapNvmeTcp::Secrets::store($storeid, \%changed);
    # Cutting the paths of running guests is nobody's wish.
    say_warning("storage '$storeid': the changed secrets of the data paths serve a node from its next "
            . 'connection on: restart each node, one after the other')
        if grep { $_ ne 'password' } keys(%changed);
    return undef;
}

sub configuration_deleted ($storeid, $scfg) {
    # When storage.cfg cannot be read, the storage may well be in it.
    my $get_config = PVE::Storage->can('config');
    my $ids = $get_config ? eval { $get_config->()->{ids} } : undef;
    my $is_new = defined($ids) && !exists($ids->{$storeid});
    my $done = eval {
        with_client($storeid, $scfg, sub ($client) {
            $client->require_empty() if !$is_new;
        });
        1;
    };
    my $error = $@;
    if (!$done) {
        die $error if !is_ours($error) || $error->code() =~ /\A(?:busy|interrupted)\z/;
        say_warning("storage '$storeid': not checked for disks: " . $error->msg());
    }

    my $is_forgotten = eval {
        with_client($storeid, $scfg, sub ($client) { $client->forget() });
        1;
    };
    if (!$is_forgotten) {
        my $reason = $@;
        die $reason if !is_ours($reason);
        # After a first warning a second one of the same cause says nothing new.
        say_warning("storage '$storeid': " . $reason->msg()) if $done;
    }
    remove_secrets($storeid);
    return undef;
}

my sub is_same ($scfg, $other) {
    return 1 if refaddr($other) == refaddr($scfg);
    my $wanted = PVE::Storage::OntapNvmeTcp::Schema::settings($scfg);
    my $found = PVE::Storage::OntapNvmeTcp::Schema::settings($other);
    return 0 if keys($found->%*) != keys($wanted->%*);
    return !grep { !exists($found->{$_}) || $found->{$_} ne $wanted->{$_} } keys($wanted->%*);
}

sub storage_id_of ($scfg, $type) {
    my $ids = configured_sections();
    my @found = grep { is_same($scfg, $ids->{$_}) }
        grep { ($ids->{$_}{type} // '') eq $type } sort(keys($ids->%*));
    return $found[0] if @found == 1;
    die "cannot tell the path of an $type volume without its storage id\n";
}

1;

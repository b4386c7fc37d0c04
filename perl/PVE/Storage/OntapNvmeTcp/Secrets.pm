# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Secrets;

use v5.36;

use Errno qw(EEXIST ENOENT);
use Fcntl qw(O_CREAT O_EXCL O_WRONLY);

use PVE::Storage::OntapNvmeTcp::Error;

=head1 NAME

PVE::Storage::OntapNvmeTcp::Secrets - what must not stand in storage.cfg

=head1 DESCRIPTION

Files that only root can read, in the part of the cluster file system that only root can enter: the
secrets of each storage, and the id by which this cluster's objects are known on the array. Storage
ids given to these functions are clean already.

=over

=item names

The settings that are secrets.

=item load($storeid)

A hash reference of the secrets that are there.

=item store($storeid, \%changes)

Writes each secret (removes it where the value is undef), all or none: when one fails, those before
it are put back. Returns a function that puts everything back, for the caller whose next step fails.

=item ca_file($storeid)

The path of the storage's own CA certificates, or undef without any.

=item cluster_id, ensure_cluster_id

The UUID that marks this cluster's objects on the array, or undef while there is none; C<ensure_>
makes one then. Made once by whoever comes first, never changed afterwards.

=back

=cut

# Another place in tests.
our $priv_dir = '/etc/pve/priv';

my %extension = (
    password => 'pw',
    nvme_dhchap_secret => 'dhchap',
    nvme_dhchap_ctrl_secret => 'dhchapc',
    nvme_tls_psk => 'tlspsk',
);

# A file of secrets longer than this is not one that was written here.
use constant CHARACTERS_MAX => 4096;

my sub fail ($sentence) {
    die PVE::Storage::OntapNvmeTcp::Error->new('internal', $sentence);
}

my sub file_of ($storeid, $name) {
    return "$priv_dir/storage/$storeid.$extension{$name}";
}

# Undef for a file that is not there.
my sub read_file ($path) {
    open(my $handle, '<:raw', $path) or do {
        return undef if $! == ENOENT;
        fail("cannot read '$path': $!");
    };
    local $/;
    my $bytes = readline($handle) // '';
    $bytes =~ s/\s+\z//;
    fail("cannot use '$path': it is too long") if length($bytes) > CHARACTERS_MAX;
    # Checked for what it must not have; a capture also frees it from the taint of all input.
    $bytes =~ /\A([^\x00-\x1f\x7f]*)\z/
        or fail("cannot use '$path': it must be one line of text");
    my $text = $1;
    utf8::decode($text);
    return $text;
}

# False, with the reason in $!, when the file is there already or cannot be written.
my sub write_new ($path, $bytes) {
    sysopen(my $handle, $path, O_WRONLY | O_CREAT | O_EXCL, 0600) or return 0;
    return print({$handle} $bytes) && close($handle);
}

# A reader finds the old content or the new one, never a part, and never a file that others can
# read.
my sub write_file ($path, $text) {
    fail("cannot write '$path': the value must be one line of text")
        if $text eq '' || $text =~ /[\x00-\x1f\x7f]/ || length($text) > CHARACTERS_MAX;
    my $bytes = $text;
    utf8::encode($bytes);
    my $temporary = "$path.tmp.$$";
    unlink($temporary);
    return if write_new($temporary, "$bytes\n") && rename($temporary, $path);
    my $reason = "$!";
    unlink($temporary);
    fail("cannot write '$path': $reason");
}

my sub remove_file ($path) {
    unlink($path) or $! == ENOENT or fail("cannot remove '$path': $!");
    return;
}

my sub set_file ($path, $text) {
    return defined($text) ? write_file($path, $text) : remove_file($path);
}

sub names {
    my @names = sort(keys(%extension));
    return @names;
}

sub load ($storeid) {
    my %secrets;
    for my $name (names()) {
        my $value = read_file(file_of($storeid, $name));
        $secrets{$name} = $value if length($value // '');
    }
    return \%secrets;
}

sub store ($storeid, $changes) {
    mkdir($priv_dir, 0700);
    mkdir("$priv_dir/storage", 0700);
    my @before;
    my $put_back = sub {
        # Each as far as possible: one that fails must not keep the others from being put back.
        for my $file (reverse(@before)) {
            eval { set_file($file->@*) };
            warn "$@" if $@;
        }
        return;
    };
    for my $name (sort(keys($changes->%*))) {
        my $path = file_of($storeid, $name);
        # An unreadable old file is replaced all the same.
        my $old = eval { read_file($path) };
        $old = undef if !length($old // '');
        my $done = eval { set_file($path, $changes->{$name}); 1 };
        if (!$done) {
            my $error = $@;
            $put_back->();
            die $error;
        }
        push(@before, [$path, $old]);
    }
    return $put_back;
}

sub ca_file ($storeid) {
    my $path = "$priv_dir/storage/$storeid.ca.pem";
    return -e $path ? $path : undef;
}

# No secret, but on the same footing: for root only, and seen by all nodes.
sub disk_memory_file ($storeid) {
    return "$priv_dir/storage/$storeid.disks";
}

my sub cluster_id_file { return "$priv_dir/ontapnvme-cluster-id" }

my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/a;

sub cluster_id {
    my $path = cluster_id_file();
    my $text = read_file($path);
    return undef if !length($text // '');
    return $1 if lc($text) =~ /\A($uuid)\z/;
    fail("cannot use '$path': it is no UUID");
}

sub ensure_cluster_id {
    if (defined(my $known = cluster_id())) {
        return $known;
    }
    my $new = read_file('/proc/sys/kernel/random/uuid');
    my $path = cluster_id_file();
    mkdir($priv_dir, 0700);
    return $new if write_new($path, "$new\n");
    if ($! != EEXIST) {
        my $reason = "$!";
        # Whatever was created is not complete; nobody else would ever complete it.
        unlink($path);
        fail("cannot write '$path': $reason");
    }
    # Another node was faster; it writes right after it creates.
    for (1 .. 20) {
        if (defined(my $theirs = cluster_id())) {
            return $theirs;
        }
        select(undef, undef, undef, 0.05);
    }
    fail("cannot use '$path': it is empty; remove it, a new one will be made");
}

1;

# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::PrivateFiles;

use v5.36;

use Errno qw(ENOENT);
use Exporter qw(import);
use Fcntl qw(O_CREAT O_EXCL O_WRONLY);

use PVE::Storage::OntapNvmeTcp::Error qw(refuse);

our @EXPORT_OK = qw(
    make_directories read_line create_file set_line cluster_id_file secret_file ca_file
    disk_memory_file hosts_directory array_file array_files read_document set_document
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::PrivateFiles - files for root only, which all nodes see

=head1 DESCRIPTION

They are in the part of the cluster file system that only root can enter. Storage ids given to these
functions are clean already. Errors are error objects.

=over

=item cluster_id_file, secret_file($storeid, $extension), ca_file($storeid), disk_memory_file($storeid),
hosts_directory

Where they are: the cluster's id, a secret of a storage, the CA certificates that an administrator may
give a storage, and what the cluster remembers of its disks.

=item array_file($svm_uuid), array_files

What was found out of how the array of an SVM behaves, and all such files.

=item make_directories

=item read_line($path)

The one line of a file, as clean text; undef when there is no such file.

=item set_line($path, $text)

Writes a file of one line, or removes it for undef. A reader finds the old content or the new one, never
a part.

=item read_document($path), set_document($path, $text)

The same for a text that is longer.

=item create_file($path, $bytes)

False, with the reason in C<$!>, when the file is there already or cannot be written.

=back

=cut

# Another place in tests.
our $directory = '/etc/pve/priv';

# A file that is longer was not written here.
use constant CHARACTERS_MAX => 4096;
use constant DOCUMENT_CHARACTERS_MAX => 131_072;

sub cluster_id_file { return "$directory/ontapnvme-cluster-id" }

sub secret_file ($storeid, $extension) {
    return "$directory/storage/$storeid.$extension";
}

sub ca_file ($storeid) {
    return "$directory/storage/$storeid.ca.pem";
}

sub disk_memory_file ($storeid) {
    return "$directory/storage/$storeid.disks";
}

sub hosts_directory { return "$directory/ontapnvme-hosts" }

sub array_file ($svm_uuid) {
    return "$directory/ontapnvme-array-$svm_uuid.json";
}

sub array_files () {
    opendir(my $handle, $directory) or return;
    return map { "$directory/$_" } sort(map { /\A(ontapnvme-array-[0-9a-f-]{36}\.json)\z/ ? $1 : () } readdir($handle));
}

sub make_directories {
    mkdir($directory, 0700);
    mkdir("$directory/storage", 0700);
    return;
}

my sub read_text ($path, $characters_max) {
    open(my $handle, '<:raw', $path) or do {
        return undef if $! == ENOENT;
        refuse('internal', "cannot read '$path': $!");
    };
    local $/;
    my $bytes = readline($handle) // '';
    # Nothing but the end of the line: a blank before it is part of a password.
    $bytes =~ s/(?:\r?\n)+\z//;
    refuse('internal', "cannot use '$path': it is too long") if length($bytes) > $characters_max;
    # Checked for what it must not have; a capture also frees it from the taint of all input.
    $bytes =~ /\A([^\x00-\x1f\x7f]*)\z/
        or refuse('internal', "cannot use '$path': it must be one line of text");
    my $text = $1;
    utf8::decode($text);
    return $text;
}

sub read_line ($path) { return read_text($path, CHARACTERS_MAX) }
sub read_document ($path) { return read_text($path, DOCUMENT_CHARACTERS_MAX) }

sub create_file ($path, $bytes) {
    sysopen(my $handle, $path, O_WRONLY | O_CREAT | O_EXCL, 0600) or return 0;
    return print({$handle} $bytes) && close($handle);
}

my sub replace_file ($path, $text, $characters_max) {
    refuse('internal', "cannot write '$path': the value must be one line of text")
        if $text eq '' || $text =~ /[\x00-\x1f\x7f]/ || length($text) > $characters_max;
    my $bytes = $text;
    utf8::encode($bytes);
    my $temporary = "$path.tmp.$$";
    unlink($temporary);
    return if create_file($temporary, "$bytes\n") && rename($temporary, $path);
    my $reason = "$!";
    unlink($temporary);
    refuse('internal', "cannot write '$path': $reason");
}

sub set_line ($path, $text) {
    return replace_file($path, $text, CHARACTERS_MAX) if defined($text);
    unlink($path) or $! == ENOENT or refuse('internal', "cannot remove '$path': $!");
    return;
}

sub set_document ($path, $text) { return replace_file($path, $text, DOCUMENT_CHARACTERS_MAX) }

1;

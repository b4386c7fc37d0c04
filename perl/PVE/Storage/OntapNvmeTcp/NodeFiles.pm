# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::NodeFiles;

use v5.36;

use Exporter qw(import);
use POSIX ();

our @EXPORT_OK = qw(line_of value_of names_in is_there is_turned_off output_of);

=head1 NAME

PVE::Storage::OntapNvmeTcp::NodeFiles - what this node's files say, for those who only look

=head1 DESCRIPTION

=over

=item line_of($path)

The first line of a file without blanks around it; undef when it cannot be read.

=item value_of($path, $name)

What stands behind C<NAME=> in a file of such lines; undef when it has none.

=item names_in($folder)

Its entries; none when it cannot be read.

=item is_there($path), is_turned_off($path)

The second: the path leads to F</dev/null>, as an administrator turns off what a package brings.

=item output_of(@command)

What a program prints to standard output; empty when it cannot be run. Its complaints are not shown.

=back

=cut

# Before each path, in tests.
our $root = '';

use constant BYTES_MAX => 4096;

sub line_of ($path) {
    open(my $handle, '<:raw', "$root$path") or return undef;
    # Some files of the kernel can be opened and not read.
    defined(read($handle, my $text, BYTES_MAX)) or return undef;
    # What the kernel and this node's administrator say is shown and compared, never run.
    my ($line) = $text =~ /\A\s*([^\n]*?)\s*(?:\n|\z)/;
    return $line;
}

sub value_of ($path, $name) {
    open(my $handle, '<:raw', "$root$path") or return undef;
    read($handle, my $text, BYTES_MAX);
    return ($text // '') =~ /^\Q$name\E=(.*)$/m ? $1 : undef;
}

sub names_in ($folder) {
    opendir(my $handle, "$root$folder") or return;
    return sort(map { /\A([\w:.-]+)\z/ && !/\A\.+\z/ ? $1 : () } readdir($handle));
}

sub output_of (@command) {
    my $pid = open(my $output, '-|') // return '';
    if (!$pid) {
        # Nothing of this process may go on in its child, whatever fails.
        eval {
            $ENV{PATH} = '/usr/sbin:/usr/bin:/sbin:/bin';
            delete(@ENV{qw(IFS CDPATH ENV BASH_ENV)});
            open(STDERR, '>', '/dev/null');
            exec({ $command[0] } @command);
        };
        POSIX::_exit(127);
    }
    local $/;
    my $text = readline($output) // '';
    close($output);
    return $text;
}

sub is_there ($path) { return -e "$root$path" || -l "$root$path" ? 1 : 0 }

sub is_turned_off ($path) { return (readlink("$root$path") // '') eq '/dev/null' ? 1 : 0 }

1;

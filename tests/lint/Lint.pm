# SPDX-License-Identifier: AGPL-3.0-or-later
package Lint;

use v5.36;

use Exporter qw(import);
use File::Basename qw(dirname);
use File::Find qw(find);
use File::Spec;

binmode(STDOUT, ':encoding(UTF-8)');

our @EXPORT_OK = qw(root source_files read_lines report);

=head1 NAME

Lint - what the lint scripts share: which files are ours, and how findings are told

=cut

# Built or fetched, not written: no check applies.
my $foreign_re = qr{^(?:build|out|tests/fuzz/corpus|\.git|LICENSE$|obj-|debian/(?:pve-storage-ontapnvme|\.debhelper|tmp)(?:/|$))};

sub root () {
    state $root = File::Spec->rel2abs(dirname(__FILE__) . '/../..') =~ s{/tests/lint/\.\./\.\.$}{}r;
    return $root;
}

# Paths below the root of all files whose path matches, sorted. A script has no suffix: it is found
# by its first line, so `kind` may also be 'perl' or 'shell'.
sub source_files ($kind) {
    my %first_line = (perl => qr{^#!.*\bperl\b}, shell => qr{^#!.*\b(?:ba)?sh\b});
    my %suffix = (
        cpp   => qr{\.(?:cc|h)$},
        perl  => qr{\.(?:pm|t|pl)$},
        shell => qr{\.sh$},
    );
    my @found;
    find({
        no_chdir   => 1,
        preprocess => sub {
            my $dir = $File::Find::dir;
            return grep { "$dir/$_" =~ s{^\Q@{[root()]}\E/}{}r !~ $foreign_re } @_;
        },
        wanted => sub {
            my $path = $File::Find::name =~ s{^\Q@{[root()]}\E/}{}r;
            return if !-f $File::Find::name || -l $File::Find::name;
            my $suffix = ref($kind) ? $kind : $suffix{$kind};
            if ($path =~ $suffix) {
                push(@found, $path);
            } elsif (!ref($kind) && $first_line{$kind} && $path !~ m{\.\w+$}) {
                push(@found, $path) if ((read_lines($path))[0] // '') =~ $first_line{$kind};
            }
        },
    }, root());
    return sort(@found);
}

sub read_lines ($path) {
    open(my $fh, '<:encoding(UTF-8)', root() . "/$path") or die "lint: cannot read '$path': $!\n";
    return <$fh>;
}

# Prints the findings and ends the script: with 1 when there are any, or when nothing was looked at.
sub report ($looked_at, @findings) {
    @findings = ('nothing was looked at') if !$looked_at;
    say for @findings;
    say "$looked_at looked at, " . scalar(@findings) . ' found';
    exit(@findings ? 1 : 0);
}

1;

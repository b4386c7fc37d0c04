#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
# tests/lint/storage-api notices every way in which list, document, plugin, tests and a base class can
# disagree. Each case spoils one line of a copy.
use v5.36;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $here = dirname(__FILE__);
my $list = 'tests/tables/storage-api.tsv';
my $document = 'docs/storage-api.md';
my $plugin = 'perl/PVE/Storage/Custom/OntapNvmeTcpPlugin.pm';

my sub slurp ($path) {
    open(my $fh, '<', $path) or die "cannot read '$path': $!\n";
    local $/;
    return scalar(<$fh>);
}

my sub put ($path, $text) {
    make_path(dirname($path));
    open(my $fh, '>', $path) or die "cannot write '$path': $!\n";
    print $fh $text;
    close($fh) or die "cannot write '$path': $!\n";
}

my ($devices) = my @hooks = map { "perl/PVE/Storage/OntapNvmeTcp/Hooks/$_.pm" }
    qw(Devices Attributes Configuration Snapshots Storage Transfer Volumes);
my %original = map { $_ => slurp("$here/../../$_") } $list, $document, $plugin, @hooks;

# A base class as Proxmox VE writes it, with what the plugin inherits.
my $base = join('', map { "sub $_ {\n    my (\$class, \$x) = \@_;\n}\n\n" } qw(
    private parse_config parse_section_header encode_value decode_value cluster_lock_storage list_volumes
    activate_volume
)) . "sub verify_name {\n    my (\$name) = \@_;\n}\n\nmy sub hidden {\n    my (\$class) = \@_;\n}\n";

# What the check says of the files as they are but for these.
my sub findings (%changed) {
    my $root = tempdir(CLEANUP => 1);
    my %files = (%original, %changed);
    my $real = delete($files{base});
    put("$root/$_", $files{$_}) for keys(%files);
    put("$root/tests/$_", '') for $original{$document} =~ m{`((?:perl|fault)/[^`*]+)`}g;
    put("$root/pve/PVE/Storage/Plugin.pm", $real) if defined($real);
    local $ENV{PVE_PERL5LIB} = defined($real) ? "/nowhere:$root/pve" : '';
    return scalar(qx{$^X $here/storage-api --root $root 2>&1});
}

my sub spoilt ($path, $from, $to) {
    my $text = $original{$path};
    $text =~ s/$from/$to/ or die "nothing to spoil in $path: $from\n";
    return ($path => $text);
}

like(findings(), qr/, 0 found$/, 'all agree');
like(findings(base => $base), qr/, 0 found$/, 'also with a base class that is known');

my @cases = (
    ['a method without a row', spoilt($document, qr/^\| `path`.*\n/m, ''), qr/'path' has no row/],
    ['a row without a method', spoilt($list, qr/^path\t.*\n/m, ''), qr/md: 'path' is not in/],
    ['a version too many', spoilt($document, qr/^\| `get_identity` \| \S+/m, '| `get_identity` | yes'),
        qr/'get_identity' at API 11: 'yes'/],
    ['an argument that is not told', spoilt($document, qr/`\+hints`/, 'yes'),
        qr/at API 13: 'yes' instead of '\+hints'/],
    ['a reason that is missing', spoilt($document, qr/inherited: the registry is/, 'the registry is'),
        qr/'private' must begin with 'inherited:'/],
    ['a hook that the plugin lacks', spoilt($devices, qr/^sub map_volume /m, 'sub map_it '),
        qr/plugin: 'map_volume' is not defined/],
    ['a hook that nobody calls', spoilt($devices, qr/^sub map_volume /m, 'sub map_it '),
        qr/plugin: 'map_it' is in \S+ neither/],
    ['a line that is no row', spoilt($list, qr/^path\t/m, "path "), qr/cannot read 'path 11/],
);
for my $case (@cases) {
    my ($name, $path, $text, $expected) = $case->@*;
    like(findings($path => $text), $expected, $name);
}
like(findings($document => $original{$document} =~ s/^(\| `path`.*\n)/$1$1/mr),
    qr/'path' stands there twice/, 'a row twice');
like(findings($document => $original{$document} =~ s{`perl/path\.t`}{`perl/gone.t`}r),
    qr{names 'perl/gone\.t', which does not exist}, 'a test that does not exist');
like(findings($document => $original{$document} =~ s{`perl/parse_volname\.t`}{}r),
    qr/'parse_volname' names no test/, 'a hook without a test');
like(findings(base => $base . "sub brand_new {\n    # why\n    my (\$class) = \@_;\n}\n"),
    qr/'brand_new' is new/, 'a method of a new version');
like(findings(base => $base =~ s/sub encode_value/sub encode_all/r),
    qr/'encode_value' is gone/, 'a method that a new version has no more');

done_testing();

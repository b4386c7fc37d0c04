#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
# tests/lint/documents notices files, options, settings and addresses that are not there, and nothing else.
use v5.36;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $here = dirname(__FILE__);

my %sample = (
    'src/model/settings_table.cc' => qq({.name = "qos_policy",\n {.name = "storage_prefix",\n),
    'tools/demo' => "#!/bin/bash\ncase \$1 in\n    --all) ;;\n    --root) ;;\nesac\n",
    'tests/perl/load.t' => "1;\n",
    'docs/adr/0001-own-result.md' => "# One\n",
);

# What the check says of a document with this text, without the line of numbers.
my sub findings ($text, $document = 'docs/page.md') {
    my $root = tempdir(CLEANUP => 1);
    my %files = (%sample, $document => $text);
    for my $path (keys(%files)) {
        make_path(dirname("$root/$path"));
        open(my $fh, '>', "$root/$path") or die "cannot write '$path': $!\n";
        print $fh $files{$path};
        close($fh) or die "cannot write '$path': $!\n";
    }
    make_path("$root/tests/lint");
    for my $file (qw(Lint.pm documents)) {
        copy("$here/$file", "$root/tests/lint/$file") or die "cannot copy '$file': $!\n";
    }
    return qx{$^X $root/tests/lint/documents 2>&1} =~ s{^\d+ looked at, \d+ found\n\z}{}mr;
}

subtest 'files' => sub {
    is(findings('`tools/demo`, `perl/load.t`, `adr/0001`, `docs/adr/0001`.'), '', 'that are there');
    is(findings('`tests/perl/<hook>.t`, `docs/adr/*`, tools/none'), '', 'placeholders, and plain text');
    is(findings('`tools/none`'), "docs/page.md: 'tools/none' is not there\n", 'in a line');
    is(findings("```\nls src/none.cc\n```\n"), "docs/page.md: 'src/none.cc' is not there\n", 'in a block');
    is(findings("1. x\n\n   ```\n   tools/none\n   ```\n"), "docs/page.md: 'tools/none' is not there\n",
        'in a block of a list');
    is(findings('=head1 tools/none', 'man/page.pod'), "man/page.pod: 'tools/none' is not there\n", 'in a man page');
    is(findings('`tools/none`', 'CHANGELOG.md'), '', 'of former times');
};

subtest 'options of our tools' => sub {
    is(findings('`tools/demo --all --root 13`'), '', 'known ones');
    is(findings('`tools/demo --al`'), "docs/page.md: tools/demo has no option '--al'\n", 'the beginning of one');
    is(findings("```\ntools/demo \\\n    --none # --remark\n```\n"),
        "docs/page.md: tools/demo has no option '--none'\n", 'on the next line, but not a remark');
};

subtest 'settings' => sub {
    is(findings('`pvesm set ID --qos_policy x --nodes a --delete storage_prefix`'), '', 'ours and Proxmox\'s');
    is(findings("```\npvesm add ontapnvme ID --qos_policy x \\\n    --qos none\n```\n"),
        "docs/page.md: pvesm has no option '--qos' here\n", 'one that there is not');
    is(findings('`pvesm add nfs ID --server x`'), '', 'other types are none of ours');
};

subtest 'addresses' => sub {
    is(findings('[a](https://example.com/x#y), [b](page.md), <https://example.com>'), '', 'good ones');
    is(findings('[a](http://example.com)'), "docs/page.md: not an address: http://example.com\n", 'not encrypted');
    is(findings('[a](https://example)'), "docs/page.md: not an address: https://example\n", 'no host');
};

done_testing();

#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# The panel as it is built: its fields are the settings, it is JavaScript, and it keeps the rules by which
# a file of ours cannot take Proxmox VE's web interface down.
use v5.36;

use FindBin qw($Bin);
use Test::More;

use PVE::Storage::OntapNvmeTcp::SettingsTable;

my $build = $ENV{ONTAPNVME_BUILD} // die "ONTAPNVME_BUILD names no build tree\n";
my $panel = "$build/gui/pve-storage-ontapnvme.js";

my sub content_of ($path) {
    open(my $file, '<:encoding(UTF-8)', $path) or die "$path: $!\n";
    local $/;
    return scalar(readline($file));
}

my $source = content_of($panel);
my $text_re = qr{'((?:[^'\\]|\\.)*)'};

# The rows of the table as the panel has them, each with what follows from it.
my sub fields () {
    my @fields;
    while ($source =~ /^ *\{ (name: .*),\n *summary: $text_re \},$/mg) {
        my ($row, $summary) = ($1, $2);
        my %field = (summary => $summary);
        $field{$1} = defined($2) ? $2 : $3 while $row =~ /(\w+): (?:$text_re|([^\s,\[]+))/g;
        $field{words} = [$1 =~ /$text_re/g] if $row =~ /words: \[([^\]]*)\]/;
        push(@fields, \%field);
    }
    return @fields;
}

my @rows = PVE::Storage::OntapNvmeTcp::SettingsTable::rows();
my @fields = fields();

subtest 'the fields are the settings' => sub {
    is_deeply([map { $_->{name} } @fields], [map { $_->{name} } @rows], 'all of them, in their order');
    for my $index (0 .. $#rows) {
        my ($row, $field) = ($rows[$index], $fields[$index]);
        my ($name, $property) = $row->@{qw(name property)};
        is(!!$field->{isFixed}, !!$row->{is_fixed}, "$name: fixed or not");
        is($field->{kind} eq 'secret', defined($row->{secret_suffix}), "$name: secret or not");
        is(!!$field->{isRequired}, $row->{is_required} || $name eq 'password', "$name: required or not");
        is($field->{byDefault}, $property->{default}, "$name: default");
        my %kinds = (boolean => qr{\Aflag\z}, integer => qr{\Anumber\z}, string => qr{\A(?:text|word|secret)\z});
        like($field->{kind}, $kinds{ $property->{type} }, "$name: kind");
        is_deeply($field->{words}, $property->{enum}, "$name: words");
        is($field->{most}, $property->{maximum} // $property->{maxLength}, "$name: most");
        is($field->{least}, $property->{minimum}, "$name: least");
        like($field->{label}, qr{\A[A-Z][\w ()-]+\z}, "$name: label");
        unlike($field->{summary}, qr{[<>&"]}, "$name: its hint is the same in HTML");
    }
};

subtest 'a panel that has no one place for the table is not built' => sub {
    for my $places (0, 2) {
        my $text = "before\\n" . ('  // settings\\n' x $places);
        my $said = `printf '$text' | '$build/src/print-settings' javascript 2>&1 >/dev/null`;
        isnt($?, 0, "$places places");
        like($said, qr{has $places lines '// settings', not one}, 'and it is said why');
    }
};

# What the panel must not be. Taken apart by how it is laid out, which the samples below hold it to.
my sub faults ($code) {
    my @faults;
    push(@faults, 'strict code hides the caller from callParent()') if $code =~ /^\s*(['"])use strict\1/m;
    push(@faults, "replaces what is not its own: $1") while $code =~ /\b(Ext\.override|override:|\.prototype\.\w+ = )/g;
    push(@faults, "asks the server: $1")
        while $code =~ /\b(API2Request|Ext\.Ajax|fetch\(|XMLHttpRequest|proxy:|autoLoad:)/g;
    push(@faults, "puts HTML together: $1")
        while $code =~ /\b(innerHTML|insertAdjacentHTML|html:|document\.write|eval\()/g;
    while ($code =~ /^( +)(\w+): function \(.*\{\n((?:\1 .*\n|\n)*)\1\}/mg) {
        my ($name, $body) = ($2, $3);
        push(@faults, "$name has no try in it") if $body !~ /^ +try \{\n/m;
    }
    while ($code =~ /xtype: 'displayfield'([^}]*)/g) {
        push(@faults, 'a text is shown as HTML') if $1 !~ /renderer: \(value\) => Ext\.htmlEncode\(value\)/;
    }
    push(@faults, 'a text of the server is shown as HTML') if $code =~ /Ext\.Msg\.alert\((?![^;]*Ext\.htmlEncode\()/;
    my %looked_for = map { $_ => 1 } map { /$text_re/g } $code =~ /const (?:CLASSES|WIDGETS) = \[(.*?)\];/sg;
    my %own = map { $_ => 1 } map { s{^widget\.}{}r } $code =~ /(?:Ext\.define\(|alias: )'([^']+)'/g;
    for my $used ($code =~ /(?:extend|xtype): '([^']+)'/g) {
        push(@faults, "$used is not looked for") if !$looked_for{$used} && !$own{$used};
    }
    return @faults;
}

subtest 'the rules' => sub {
    is_deeply([faults($source)], [], 'it keeps them');
    is(() = $source =~ /: function \(/g, 6, 'methods are where the rules look');
    cmp_ok(scalar(split(/\n/, $source)), '<', 400, 'it can be read in one sitting');
    unlike($source, qr{^ *// settings$}m, 'the table is in its place');

    for my $break (
        ['strict code', sub ($code) { $code =~ s/\(function \(\) \{\n/(function () {\n    'use strict';\n/r }],
        ['an override', sub ($code) { $code =~ s/extend: 'PVE\.panel/override: 'PVE.panel/r }],
        ['a method without a try', sub ($code) { $code =~ s/( +onSetValues: function.*\n) +try \{\n/$1/r }],
        ['a request', sub ($code) { $code =~ s/say\(error\);/Proxmox.Utils.API2Request({});/r }],
        ['a text that is not encoded', sub ($code) { $code =~ s/, renderer: .*? \}/ }/r }],
        ['a class that is not looked for', sub ($code) { $code =~ s/'PVE\.panel\.StorageBase', //r }],
        ['a field that is not looked for', sub ($code) { $code =~ s/^ +'proxmoxcheckbox',\n//mr }],
        ['HTML', sub ($code) { $code =~ s/fieldLabel:/html:/r }],
    ) {
        my ($what, $change) = $break->@*;
        my $broken = $change->($source);
        isnt($broken, $source, "$what can be put in");
        isnt(scalar(faults($broken)), 0, 'and is noticed');
    }
};

subtest 'it is JavaScript' => sub {
    my ($node) = grep { -x } map { "$_/node" } split(/:/, $ENV{PATH});
    plan(skip_all => 'node is not here to look at it') if !defined($node);
    is(system($node, '--check', $panel), 0, 'node can read it');
};

subtest 'its help page' => sub {
    my $page = content_of("$build/gui/pve-storage-ontapnvme.html");
    like($page, qr{>\Q$_\E</}, "$_ is described") for map { $_->{name} } @rows;
    unlike($page, qr{(?:href|src)="(?!#)}, 'leads nowhere else');
    is($source =~ m{HELP_PAGE = '/pve2/js/(.*?)'} && $1, 'pve-storage-ontapnvme.html', 'the panel opens it');
};

done_testing();

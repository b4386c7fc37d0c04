#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
# tools/check-layers catches every kind of breach, and only those.
use v5.36;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $checker = dirname(__FILE__) . '/../../tools/check-layers';

# Runs the checker on a tree with these files; returns its exit code and output. A reference to a
# list among them is options.
my sub check (@arguments) {
    my @options = ref($arguments[0]) ? shift(@arguments)->@* : ();
    my %content_of = @arguments;
    my $root = tempdir(CLEANUP => 1);
    for my $path (sort(keys(%content_of))) {
        make_path(dirname("$root/$path"));
        open(my $fh, '>', "$root/$path") or die "cannot write '$root/$path': $!\n";
        print $fh $content_of{$path};
        close($fh) or die "cannot write '$root/$path': $!\n";
    }
    open(my $pipe, '-|', $^X, $checker, @options, $root) or die "cannot run '$checker': $!\n";
    my $output = do { local $/; <$pipe> } // '';
    close($pipe);
    return ($? >> 8, $output);
}

my @bad = (
    # what it is, file, include, part of the message
    ['a lower layer reaches up', 'src/base/a.h', '"http/url.h"', 'base/ may not include http/'],
    ['http reaches up', 'src/http/a.cc', '"ontap/svm.h"', 'http/ may not include ontap/'],
    ['ontap knows nvme', 'src/ontap/a.cc', '"nvme/host.h"', 'ontap/ may not include nvme/'],
    ['nvme knows ontap', 'src/nvme/a.cc', '"ontap/svm.h"', 'nvme/ may not include ontap/'],
    ['nvme knows http', 'src/nvme/a.cc', '"http/url.h"', 'nvme/ may not include http/'],
    ['a library layer knows the binding', 'src/pve/a.cc', '"xs/glue.h"', 'pve/ may not include xs/'],
    ['curl outside of http', 'src/ontap/a.cc', '<curl/curl.h>', 'src/http/ only'],
    ['json outside of ontap', 'src/pve/a.cc', '<nlohmann/json.hpp>', 'src/ontap/ only'],
    ['libnvme outside of its adaptor', 'src/nvme/helper/main.cc', '<libnvme.h>', 'libnvme_adaptor.* only'],
    ['a part of libnvme likewise', 'src/nvme/host.cc', '<nvme/tree.h>', 'libnvme_adaptor.* only'],
    ['model knows a layer above', 'src/model/a.cc', '"ontap/svm.h"', 'model/ may not include ontap/'],
    ['node knows the array', 'src/node/a.cc', '"ontap/svm.h"', 'node/ may not include ontap/'],
    ['nvme knows what the plugin calls things', 'src/nvme/a.cc', '"model/volume_name.h"', 'nvme/ may not include model/'],
    ['the helper knows its caller', 'src/nvme/helper/a.cc', '"nvme/host.h"', 'nvme/helper/ may not include nvme/'],
    ['the kernel knows the helper', 'src/nvme/kernel/a.cc', '"nvme/helper/protocol.h"', 'nvme/kernel/ may not include nvme/helper/'],
    ['the ports know an array', 'src/catalogue/a.h', '"ontap/svm.h"', 'catalogue/ may not include ontap/'],
    ['the ports know one that is behind them', 'src/catalogue/a.h', '"catalogue/flexvol/a.h"', 'catalogue/ may not include catalogue/flexvol/'],
    ['flexvol knows the operations', 'src/catalogue/flexvol/a.cc', '"pve/disks.h"', 'catalogue/flexvol/ may not include pve/'],
    ['flexvol makes its own transport', 'src/catalogue/flexvol/a.cc', '"http/curl_transport.h"', 'types of http/ only'],
    ['an operation knows FlexVols', 'src/pve/a.cc', '"catalogue/flexvol/a.h"', 'pve/ may not include catalogue/flexvol/'],
    ['an operation reaches an array record', 'src/pve/a.cc', '"ontap/svm.h"', 'pve/ may not include ontap/'],
    ['an operation uses the transport', 'src/pve/a.cc', '"http/url.h"', 'pve/ may not include http/'],
    ['perl in the library', 'src/pve/a.cc', '"perl.h"', 'xs/ only'],
    ['XSUB.h in the library', 'src/base/a.cc', '<XSUB.h>', 'xs/ only'],
    ['the binding looks behind the façade', 'xs/glue.cc', '"pve/disks.h"', 'the façade only'],
    ['the binding speaks REST', 'xs/glue.cc', '"ontap/svm.h"', 'xs/ may not include ontap/'],
    ['pve makes its own transport', 'src/pve/a.cc', '"http/curl_transport.h"', 'types of http/ only'],
    ['the layer is not named', 'src/base/a.cc', '"error.h"', 'name the layer'],
    ['an unknown layer', 'src/base/a.cc', '"util/x.h"', "no layer 'util'"],
    ['spaces do not hide it', 'src/base/a.cc', '  "http/url.h"', 'base/ may not include http/'],
);
for my $case (@bad) {
    my ($what, $path, $header, $message) = $case->@*;
    my ($status, $output) = check($path => "#pragma once\n#include $header\n");
    is($status, 1, "$what: refused");
    like($output, qr{^\Q$path\E:2: .*\Q$message\E}m, "$what: file, line and reason are told");
}

subtest 'an indented directive is one as well' => sub {
    my ($status, $output) = check('src/base/a.cc' => "#if 1\n#  include \"pve/storage.h\"\n#endif\n");
    is($status, 1, 'refused');
    like($output, qr{^src/base/a\.cc:2:}m, 'with its line');
};

subtest 'a folder that is no layer' => sub {
    my ($status, $output) = check('src/util/a.h' => "#pragma once\n");
    is($status, 1, 'refused');
    like($output, qr{src/util/a\.h: this folder is no layer}, 'and named');
};

subtest 'a tree without sources' => sub {
    my ($status, $output) = check('README.md' => "nothing\n");
    is($status, 1, 'a check that reads nothing does not pass');
};

# Two rooms of a folder, a.h and b.cc, that include what is given.
my sub two_rooms ($folder, $of_a, $of_b) {
    return ("$folder/a.h" => qq{#include "$of_a"\n}, "$folder/b.cc" => qq{#include "$of_b"\n});
}

subtest 'a circle within a folder' => sub {
    my ($status, $output) = check(two_rooms('src/base', 'base/b.h', 'base/a.h'));
    is($output, "src/base: a circle: a -> b -> a\n", 'is printed, whichever file of a room it goes through');
    is($status, 1, 'refused');
    ($status, $output) = check(
        'src/nvme/helper/a.h' => qq{#include "nvme/helper/b.h"\n},
        'src/nvme/helper/b.h' => qq{#include "nvme/helper/c.h"\n},
        'src/nvme/helper/c.h' => qq{#include "nvme/helper/a.h"\n},
        'src/nvme/helper/d.h' => qq{#include "nvme/helper/a.h"\n},
    );
    is($output, "src/nvme/helper: a circle: a -> b -> c -> a\n", 'a long one, without who only leads to it');
    ($status, $output) = check(two_rooms('xs', 'b.h', 'a.h'));
    like($output, qr{^xs: a circle: a -> b -> a$}m, 'also where the folder is not named');
};

subtest 'no circle' => sub {
    my ($status, $output) = check(
        'src/base/a.cc' => qq{#include "base/a.h"\n#include "base/b.h"\n},
        'src/base/b.h'  => qq{#include "base/c.h"\n},
        'src/base/b.cc' => qq{#include "base/b.h"\n},
        'src/http/c.h'  => qq{#include "base/a.h"\n},
    );
    is($output, '', 'a source and its own header, and names that another folder has as well');
};

subtest 'how many rooms a folder may have' => sub {
    my %twenty = map { ("src/base/r$_.h" => "\n", "src/base/r$_.cc" => "\n") } 1 .. 20;
    my ($status, $output) = check(%twenty);
    is($output, '', 'twenty, of two files each');
    ($status, $output) = check(%twenty, 'src/base/r21.h' => "\n");
    is($output, "src/base: 21 rooms, more than 20\n", 'but not one more');
};

subtest 'how much of the product a folder may be' => sub {
    my %product = map { ("src/$_/a.h" => "\n" x 1000) } qw(base model http ontap);
    my ($status, $output) = check(%product, 'perl/a.pm' => "\n" x 1000);
    is($output, '', 'a fifth');
    ($status, $output) = check(%product, 'perl/a.pm' => "\n" x 1000, 'src/base/b.h' => "\n");
    is($output, "src/base: 1001 lines are 20.0 % of the product, more than 20 %\n", 'but not one line more');
};

subtest 'words of other folders' => sub {
    for my $word (qw(FlexVol ConsistencyGroup aggregate ownership)) {
        my ($status, $output) = check('src/pve/a.h' => "#pragma once\n// of all the ${word}s\n");
        is($output, "src/pve/a.h:2: '$word' is a word of other folders\n", "$word in src/pve");
        ($status, $output) = check('src/catalogue/flexvol/a.h' => "// $word\n");
        is($output, '', "$word where it belongs");
    }
    my ($status, $output) = check('src/pve/a.h' => qq{#include "model/Marking.h"\n});
    is($output, '', 'case counts');
};

my $modules = 'perl/PVE/Storage/OntapNvmeTcp';
subtest 'modules in a circle' => sub {
    my %library = ('src/base/a.h' => "\n");
    my ($status, $output) = check(
        %library,
        "$modules/A.pm" => "use PVE::Storage::OntapNvmeTcp::B qw(b);\n",
        "$modules/B.pm" => "sub b {\n    require PVE::Storage::OntapNvmeTcp::C;\n}\n",
        "$modules/C.pm" => "use parent qw(\n    PVE::Storage::OntapNvmeTcp::A\n);\n",
    );
    my $circle = join(' -> ', map { "PVE::Storage::OntapNvmeTcp::$_" } qw(A B C A));
    is($output, "perl: a circle: $circle\n", 'by use, require and inheritance');
    is($status, 1, 'refused');
    ($status, $output) = check(
        %library,
        "$modules/A.pm" => "use PVE::Storage::OntapNvmeTcp::B;\n",
        "$modules/B.pm" => "=head1 USE\n\nuse PVE::Storage::OntapNvmeTcp::A;\n\n=cut\n\nour \$x;\n"
            . "__END__\nuse PVE::Storage::OntapNvmeTcp::A;\n",
    );
    is($output, '', 'what is only text uses nothing');
};

subtest 'a module with a law' => sub {
    my ($status, $output) = check(
        'src/base/a.h'      => "\n",
        "$modules/Error.pm" => "use strict;\nuse PVE::Storage::OntapNvmeTcp::Secrets;\n",
        "$modules/Secrets.pm" => "package PVE::Storage::OntapNvmeTcp::Secrets;\n",
    );
    is($output, "$modules/Error.pm: may not use PVE::Storage::OntapNvmeTcp::Secrets\n", 'is held to it');
};

subtest 'what is not held yet' => sub {
    my @circle = two_rooms('src/base', 'base/b.h', 'base/a.h');
    my ($status, $output) = check([qw(--not-yet src/base=circles)], @circle);
    is($output, '', 'an entry quiets its rule in its folder');
    ($status, $output) = check([qw(--not-yet src/base=rooms)], @circle);
    like($output, qr{^src/base: a circle}m, 'but no other rule');
    like($output, qr{'src/base' holds 'rooms' by now: take it out}, 'and is a complaint when it is not needed');
    ($status, $output) = check([qw(--not-yet src/node=includes:ontap)],
        'src/node/a.h' => qq{#include "ontap/svm.h"\n#include "http/url.h"\n});
    is($output, "src/node/a.h:2: node/ may not include http/\n", 'one folder may be allowed for the time being');
};

subtest 'every allowed direction' => sub {
    my ($status, $output) = check(
        'src/base/error.cc'            => qq{#include "base/error.h"\n#include <string>\n},
        'src/model/mark.h'             => qq{#include "base/error.h"\n},
        'src/http/curl_transport.cc'   => qq{#include <curl/curl.h>\n#include "base/error.h"\n},
        'src/ontap/svm.cc'             => qq{#include <nlohmann/json.hpp>\n#include "http/url.h"\n},
        'src/nvme/helper/libnvme_adaptor.cc' => qq{#include <libnvme.h>\n#include "nvme/kernel/names.h"\n},
        'src/nvme/host.h'              => qq{#include "nvme/helper/process.h"\n},
        'src/node/links.cc'            => qq{#include "model/mark.h"\n#include "base/error.h"\n},
        'src/catalogue/store.h'        => qq{#include "model/mark.h"\n#include "base/error.h"\n},
        'src/catalogue/flexvol/all.cc' => join('', map { qq{#include "$_.h"\n} }
            qw(catalogue/store ontap/svm node/links http/transport model/mark base/error)),
        'src/pve/disks.cc'             => join('', map { qq{#include "$_.h"\n} }
            qw(catalogue/store node/links nvme/host model/mark base/error)),
        'src/pve/storage.cc'           => join('', map { qq{#include "$_.h"\n} }
            qw(catalogue/flexvol/all http/curl_transport)),
        'xs/glue.cc'                   => qq{#include "pve/storage.h"\n#include "convert.h"\n}
            . qq{#include "base/log.h"\n#include <perl.h>\n},
    );
    is($output, '', 'no complaint');
    is($status, 0, 'accepted');
};

done_testing();

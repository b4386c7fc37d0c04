#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
# tools/check-layers catches every kind of breach, and only those.
use v5.36;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $checker = dirname(__FILE__) . '/../../tools/check-layers';

# Runs the checker on a tree with these files; returns its exit code and output.
my sub check (%content_of) {
    my $root = tempdir(CLEANUP => 1);
    for my $path (sort(keys(%content_of))) {
        make_path(dirname("$root/$path"));
        open(my $fh, '>', "$root/$path") or die "cannot write '$root/$path': $!\n";
        print $fh $content_of{$path};
        close($fh) or die "cannot write '$root/$path': $!\n";
    }
    open(my $pipe, '-|', $^X, $checker, $root) or die "cannot run '$checker': $!\n";
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
    ['libnvme outside of its adaptor', 'src/nvme/host.cc', '<libnvme.h>', 'libnvme_adaptor.* only'],
    ['a part of libnvme likewise', 'src/nvme/host.cc', '<nvme/tree.h>', 'libnvme_adaptor.* only'],
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

subtest 'every allowed direction' => sub {
    my ($status, $output) = check(
        'src/base/error.cc'           => qq{#include "base/error.h"\n#include <string>\n},
        'src/http/curl_transport.cc'  => qq{#include <curl/curl.h>\n#include "base/error.h"\n},
        'src/ontap/svm.cc'            => qq{#include <nlohmann/json.hpp>\n#include "http/url.h"\n},
        'src/nvme/libnvme_adaptor.cc' => qq{#include <libnvme.h>\n#include "nvme/host.h"\n},
        'src/pve/disks.cc'            => qq{#include "ontap/svm.h"\n#include "http/transport.h"\n},
        'src/pve/storage.cc'          => qq{#include "http/curl_transport.h"\n},
        'xs/glue.cc'                  => qq{#include "pve/storage.h"\n#include "glue.h"\n}
            . qq{#include "base/log.h"\n#include <perl.h>\n},
    );
    is($output, '', 'no complaint');
    is($status, 0, 'accepted');
};

done_testing();

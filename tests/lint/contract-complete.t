#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
# tests/lint/contract-complete notices a method without a contract case and one without a caller.
use v5.36;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $here = dirname(__FILE__);

my %sample = (
    'src/ontap/thing.h' => <<~'END',
        class Reader {
         public:
          explicit Reader(const Json& json);
          int Unused(int x);

         private:
        };
        class Things {
         public:
          Things(RestClient& rest, std::string svm_name)
              : rest_(&rest), svm_(std::move(svm_name)) {}

          // Reads Comment(nothing);
          Result<int> Find(const std::string& name,
                           const Deadline& deadline);
          Status Delete(const Uuid& uuid, const Deadline& deadline);

         private:
          Status Hidden(int x);
        };
        END
    'src/pve/user.cc' => "ontap::Things things;\nthings.Find(x);\ncontext->things.Delete(y);\n",
    'tests/contract/suite.cc' =>
        "std::unique_ptr<ontap::Things> things_;\nthings_->Find(x);\nthings_->Delete(y);\n",
);

# What the check says of the samples as they are but for these.
my sub findings (%changed) {
    my $root = tempdir(CLEANUP => 1);
    my %files = (%sample, %changed);
    for my $path (keys(%files)) {
        make_path(dirname("$root/$path"));
        open(my $fh, '>', "$root/$path") or die "cannot write '$path': $!\n";
        print $fh $files{$path};
        close($fh) or die "cannot write '$path': $!\n";
    }
    make_path("$root/tests/lint");
    for my $file (qw(Lint.pm contract-complete)) {
        copy("$here/$file", "$root/tests/lint/$file") or die "cannot copy '$file': $!\n";
    }
    return scalar(qx{$^X $root/tests/lint/contract-complete 2>&1});
}

is(findings(), "2 looked at, 0 found\n", 'all are named; private ones and other classes do not count');

my $suite = $sample{'tests/contract/suite.cc'};
like(findings('tests/contract/suite.cc' => $suite =~ s{things_->Delete}{others_->Delete}r),
    qr{Things::Delete has no case}, 'a call of the same name on another object is no case');
like(findings('tests/contract/suite.cc' => $suite =~ s{things_->Find}{things_->FindAll}r),
    qr{Things::Find has no case}, 'nor is a longer name');
like(findings('tests/contract/suite.cc' => $suite =~ s{things_->Find}{// things_->Find}r),
    qr{Things::Find has no case}, 'nor is a comment');
like(findings('src/pve/user.cc' => "ontap::Things things;\nthings.Find(x);\n"),
    qr{Things::Delete is called by nothing}, 'a method without a caller');
like(findings('src/ontap/thing.h' => ''), qr{nothing was looked at}, 'no class at all');

done_testing();

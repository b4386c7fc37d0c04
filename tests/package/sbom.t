#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# sbom.t DIR: each package in DIR has a list of what it is made of that follows SPDX 2.3 where that
# demands something, and names what is known to be in it. The rules are those of the specification's
# chapters 6 (document), 7 (package) and 11 (relationship).
use v5.36;

use JSON::PP ();
use Test::More;

my ($folder) = @ARGV;
@ARGV == 1 or die "usage: sbom.t DIR\n";

my sub text_of ($path) {
    open(my $file, '<:raw', $path) or die "$path: $!\n";
    local $/;
    return scalar(readline($file));
}

my $date_re = qr{\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z};
my $id_re = qr{\ASPDXRef-[A-Za-z0-9.-]+\z};
my $kind_re = qr{\A(?:DESCRIBES|GENERATED_FROM|STATIC_LINK|DYNAMIC_LINK|BUILD_DEPENDENCY_OF)\z};

# What a document has against it.
my sub faults ($document) {
    my @faults;
    my $ask = sub ($what, $value, $re) {
        push(@faults, "$what: " . ($value // 'missing')) if ($value // '') !~ $re;
    };
    $ask->('spdxVersion', $document->{spdxVersion}, qr{\ASPDX-2\.3\z});
    $ask->('dataLicense', $document->{dataLicense}, qr{\ACC0-1\.0\z});
    $ask->('SPDXID', $document->{SPDXID}, qr{\ASPDXRef-DOCUMENT\z});
    $ask->('name', $document->{name}, qr{\S});
    $ask->('documentNamespace', $document->{documentNamespace},
        qr{\Aurn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z});
    $ask->('created', $document->{creationInfo}{created}, $date_re);
    $ask->('creator', $_, qr{\A(?:Tool|Organization|Person): \S}) for ($document->{creationInfo}{creators} // [undef])->@*;
    my %ids = ($document->{SPDXID} // '' => 1);
    for my $package ($document->{packages}->@*) {
        my $name = $package->{name} // 'a package';
        $ask->('name of a package', $package->{name}, qr{\S});
        $ask->("SPDXID of $name", $package->{SPDXID}, $id_re);
        push(@faults, "SPDXID of $name is there twice") if $ids{ $package->{SPDXID} // '' }++;
        $ask->("downloadLocation of $name", $package->{downloadLocation}, qr{\A(?:NOASSERTION|NONE|https://\S+)\z});
        $ask->("versionInfo of $name", $package->{versionInfo}, qr{\A\d});
        push(@faults, "files of $name") if $package->{filesAnalyzed};
        $ask->("licence of $name", $package->{licenseDeclared}, qr{\A(?:NOASSERTION|[A-Za-z0-9.-]+)\z});
        for my $reference (($package->{externalRefs} // [])->@*) {
            $ask->("purl of $name", $reference->{referenceLocator}, qr{\Apkg:deb/[^/]+/[^@]+@[^?]+\?arch=});
        }
    }
    my $described = 0;
    for my $relation ($document->{relationships}->@*) {
        $ask->('relationship', $relation->{relationshipType}, $kind_re);
        $described++ if ($relation->{relationshipType} // '') eq 'DESCRIBES';
        for my $end (qw(spdxElementId relatedSpdxElement)) {
            push(@faults, "$end of a relationship: " . ($relation->{$end} // 'missing')) if !$ids{ $relation->{$end} // '' };
        }
    }
    push(@faults, "describes $described packages") if $described != 1;
    return @faults;
}

my @packages = grep { !/-(?:dbgsym|gui)_/ } glob("$folder/*.deb");
ok(scalar(@packages), 'there are packages');
for my $package (@packages) {
    my $document = JSON::PP->new->decode(text_of($package =~ s{\.deb\z}{.spdx.json}r));
    is_deeply([faults($document)], [], "$package: it follows the specification");
    my ($main) = $document->{packages}->@*;
    my ($digest) = `sha256sum '$package'` =~ /\A(\S+)/;
    is($main->{checksums}[0]{checksumValue}, $digest, 'it is about this file');
    my %kind = map { ($_->{relationshipType} eq 'BUILD_DEPENDENCY_OF' ? $_->{spdxElementId} : $_->{relatedSpdxElement})
        => $_->{relationshipType} } $document->{relationships}->@*;
    my @linked = map { s/^SPDXRef-//r } sort(grep { $kind{$_} eq 'DYNAMIC_LINK' } keys(%kind));
    is_deeply([map { s/t64\z//r } @linked], [qw(libc6 libcurl4 libgcc-s1 libnvme1 libstdc-6)],
        'it names the libraries');
    is($kind{'SPDXRef-nlohmann-json3-dev'}, 'STATIC_LINK', 'and what is compiled in');
    is($kind{'SPDXRef-cmake'}, 'BUILD_DEPENDENCY_OF', 'and what it was built with');

    # Whoever breaks it is told.
    for my $break (
        sub ($d) { delete($d->{dataLicense}) },
        sub ($d) { $d->{packages}[1]{SPDXID} = $d->{packages}[0]{SPDXID} },
        sub ($d) { delete($d->{packages}[2]{downloadLocation}) },
        sub ($d) { $d->{relationships}[1]{relatedSpdxElement} = 'SPDXRef-nobody' },
        sub ($d) { $d->{creationInfo}{created} = 'yesterday' },
    ) {
        my $broken = JSON::PP->new->decode(JSON::PP->new->encode($document));
        $break->($broken);
        isnt(scalar(faults($broken)), 0, 'a document that is wrong is noticed');
    }
}
done_testing();

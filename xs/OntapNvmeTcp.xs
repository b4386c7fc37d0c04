// SPDX-License-Identifier: AGPL-3.0-or-later
// One XSUB per method of pve::Storage: arguments are read by the typemap, the call runs in the
// guard, the error is thrown last. See glue.h for why in this order.
#include "convert.h"
#include "glue.h"

using namespace ontapnvme;
using namespace ontapnvme::xs;

MODULE = PVE::Storage::OntapNvmeTcp::Native    PACKAGE = PVE::Storage::OntapNvmeTcp::Native

PROTOTYPES: DISABLE

int
CLONE_SKIP(...)
  CODE:
    /* A new interpreter thread gets undef instead of a second owner. */
    RETVAL = 1;
  OUTPUT:
    RETVAL

void
check_settings(SV *class_name, Text storage_id, Pairs settings)
  PREINIT:
    SV *err = NULL;
  CODE:
    PERL_UNUSED_VAR(class_name);
    err = Guard(aTHX_ [&] {
        const auto config = pve::StorageConfig::Parse(storage_id.string(), SettingsFrom(settings));
        return config.ok() ? nullptr : ErrorToPerl(aTHX_ config.error());
    });
    if (err)
        Throw(aTHX_ err);

SV *
new(SV *class_name, Text storage_id, Pairs settings, Pairs secrets, Pairs surroundings)
  PREINIT:
    SV *err = NULL;
    Client *client = NULL;
  CODE:
    PERL_UNUSED_VAR(class_name);
    err = Guard(aTHX_ [&]() -> SV * {
        auto made = std::make_unique<Client>();
        made->interrupt.Bind(aTHX);
        auto storage = pve::Storage::Create(storage_id.string(), SettingsFrom(settings),
                                            SecretsFrom(secrets), SurroundingsFrom(surroundings),
                                            &made->interrupt);
        if (!storage.ok())
            return ErrorToPerl(aTHX_ storage.error());
        made->storage = std::move(storage).value();
        client = made.release();
        return nullptr;
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = Adopt(aTHX_ client);
  OUTPUT:
    RETVAL

void
verify(Client *self)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) { return Deliver(aTHX_ storage.Verify()); });
    if (err)
        Throw(aTHX_ err);

bool
check_connection(Client *self)
  PREINIT:
    bool is_usable = false;
  CODE:
    /* An exception here says no more than that the storage cannot be used. */
    Guard(aTHX_ self, [&](pve::Storage &storage) {
        is_usable = storage.CheckConnection();
        return static_cast<SV *>(nullptr);
    });
    RETVAL = is_usable;
  OUTPUT:
    RETVAL

void
activate(Client *self)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Activate());
    });
    if (err)
        Throw(aTHX_ err);

SV *
capacity(Client *self)
  PREINIT:
    SV *err = NULL;
    SV *capacity = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Capacity(), &capacity);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = capacity;
  OUTPUT:
    RETVAL

void
require_empty(Client *self)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.RequireEmpty());
    });
    if (err)
        Throw(aTHX_ err);

SV *
identity(Client *self)
  PREINIT:
    SV *err = NULL;
    SV *identity = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Identity(), &identity);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = identity;
  OUTPUT:
    RETVAL

void
apply_changes(Client *self, Pairs before)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.ApplyChanges(SettingsFrom(before)));
    });
    if (err)
        Throw(aTHX_ err);

SV *
pending(Client *self)
  PREINIT:
    SV *err = NULL;
    SV *lines = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Pending(), &lines);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = lines;
  OUTPUT:
    RETVAL

void
forget(Client *self)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) { return Deliver(aTHX_ storage.Forget()); });
    if (err)
        Throw(aTHX_ err);

SV *
list(Client *self, MaybeUnsigned vmid)
  PREINIT:
    SV *err = NULL;
    SV *disks = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        std::optional<std::uint64_t> only;
        if (vmid.is_given)
            only = vmid.value;
        return Deliver(aTHX_ storage.List(only), &disks);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = disks;
  OUTPUT:
    RETVAL

SV *
info(Client *self, Text volname)
  PREINIT:
    SV *err = NULL;
    SV *disk = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Info(volname.string()), &disk);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = disk;
  OUTPUT:
    RETVAL

SV *
allocate(Client *self, Unsigned vmid, MaybeText volname, Unsigned size_kib)
  PREINIT:
    SV *err = NULL;
    SV *allocated = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Allocate(vmid, volname.string(), size_kib), &allocated);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = allocated;
  OUTPUT:
    RETVAL

void
free(Client *self, Text volname)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Free(volname.string()));
    });
    if (err)
        Throw(aTHX_ err);

SV *
activate_volume(Client *self, Text volname)
  PREINIT:
    SV *err = NULL;
    SV *path = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.ActivateVolume(volname.string()), &path);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = path;
  OUTPUT:
    RETVAL

void
deactivate_volume(Client *self, Text volname)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.DeactivateVolume(volname.string()));
    });
    if (err)
        Throw(aTHX_ err);

void
resize(Client *self, Text volname, Unsigned size_bytes)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Resize(volname.string(), size_bytes));
    });
    if (err)
        Throw(aTHX_ err);

SV *
create_base(Client *self, Text volname)
  PREINIT:
    SV *err = NULL;
    SV *base = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.CreateBase(volname.string()), &base);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = base;
  OUTPUT:
    RETVAL

SV *
clone_volume(Client *self, Text volname, MaybeText snapshot, Unsigned vmid)
  PREINIT:
    SV *err = NULL;
    SV *clone = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Clone(volname.string(), snapshot.string(), vmid),
                       &clone);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = clone;
  OUTPUT:
    RETVAL

SV *
rename(Client *self, Text volname, Unsigned vmid, MaybeText new_volname)
  PREINIT:
    SV *err = NULL;
    SV *renamed = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Rename(volname.string(), vmid, new_volname.string()),
                       &renamed);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = renamed;
  OUTPUT:
    RETVAL

void
set_notes(Client *self, Text volname, Text notes)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.SetNotes(volname.string(), notes.string()));
    });
    if (err)
        Throw(aTHX_ err);

void
set_protected(Client *self, Text volname, bool is_protected)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.SetProtected(volname.string(), is_protected));
    });
    if (err)
        Throw(aTHX_ err);

void
export_volume(Client *self, Text volname, MaybeText snapshot, Descriptor fd)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Export(volname.string(), snapshot.string(), fd));
    });
    if (err)
        Throw(aTHX_ err);

SV *
read_import_size(Client *self, Descriptor fd)
  PREINIT:
    SV *err = NULL;
    SV *size_bytes = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.ReadImportSize(fd), &size_bytes);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = size_bytes;
  OUTPUT:
    RETVAL

void
import_volume(Client *self, Text volname, Unsigned size_bytes, Descriptor fd)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Import(volname.string(), size_bytes, fd));
    });
    if (err)
        Throw(aTHX_ err);

void
create_snapshot(Client *self, Text volname, Text snapshot)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.CreateSnapshot(volname.string(), snapshot.string()));
    });
    if (err)
        Throw(aTHX_ err);

void
delete_snapshot(Client *self, Text volname, Text snapshot)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.DeleteSnapshot(volname.string(), snapshot.string()));
    });
    if (err)
        Throw(aTHX_ err);

SV *
rollback_blockers(Client *self, Text volname, Text snapshot)
  PREINIT:
    SV *err = NULL;
    SV *blockers = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.RollbackBlockers(volname.string(), snapshot.string()),
                       &blockers);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = blockers;
  OUTPUT:
    RETVAL

void
rollback(Client *self, Text volname, Text snapshot)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.Rollback(volname.string(), snapshot.string()));
    });
    if (err)
        Throw(aTHX_ err);

SV *
list_snapshots(Client *self, Text volname)
  PREINIT:
    SV *err = NULL;
    SV *snapshots = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.ListSnapshots(volname.string()), &snapshots);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = snapshots;
  OUTPUT:
    RETVAL

SV *
activate_snapshot(Client *self, Text volname, Text snapshot)
  PREINIT:
    SV *err = NULL;
    SV *path = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.ActivateSnapshot(volname.string(), snapshot.string()),
                       &path);
    });
    if (err)
        Throw(aTHX_ err);
    RETVAL = path;
  OUTPUT:
    RETVAL

void
deactivate_snapshot(Client *self, Text volname, Text snapshot)
  PREINIT:
    SV *err = NULL;
  CODE:
    err = Guard(aTHX_ self, [&](pve::Storage &storage) {
        return Deliver(aTHX_ storage.DeactivateSnapshot(volname.string(), snapshot.string()));
    });
    if (err)
        Throw(aTHX_ err);

SV *
take_log(Client *self)
  PREINIT:
    SV *records = NULL;
  CODE:
    /* What cannot be told must not hide the result of the call before it. */
    Guard(aTHX_ self, [&](pve::Storage &storage) {
        records = ToPerl(aTHX_ storage.TakeLog());
        return static_cast<SV *>(nullptr);
    });
    RETVAL = records ? records : newRV_noinc(reinterpret_cast<SV *>(newAV()));
  OUTPUT:
    RETVAL

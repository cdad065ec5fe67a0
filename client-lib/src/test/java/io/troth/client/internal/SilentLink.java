package io.troth.client.internal;

import io.troth.proto.v1.ClientEntry;

/** Leads nowhere and takes everything. */
class SilentLink implements CoordinatorLink {

    @Override
    public void start(Listener listener) {}

    @Override
    public void send(ClientEntry entry) {}

    @Override
    public void tryElsewhere(String why) {}

    @Override
    public String problem() {
        return "nowhere";
    }

    @Override
    public void close() {}
}

package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.epoll.Epoll;
import io.netty.handler.ssl.OpenSsl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * Goal: the event loop, on which the engine runs, does not get slower unnoticed. Method: the native code that netty uses when
 * it is there, and does without when a version does not fit, is there.
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class NativeCodeTest {

    @Test
    void readsByEpoll() {
        assertTrue(Epoll.isAvailable(), () -> String.valueOf(Epoll.unavailabilityCause()));
    }

    @Test
    void shakesHandsByBoringSsl() {
        assertTrue(OpenSsl.isAvailable(), () -> String.valueOf(OpenSsl.unavailabilityCause()));
    }
}

package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Goal: builds that run at the same time on one machine do not get into each other's way. Method: the class once more, as
 * another JVM has it, and so many ports that chance would give one twice.
 */
class FreePortsTest {

    private static final int MANY = 300;

    @Test
    void noOtherJvmGetsTheSamePort() throws ReflectiveOperationException, IOException {
        URL[] here = {FreePorts.class.getProtectionDomain().getCodeSource().getLocation()};
        try (URLClassLoader others = new URLClassLoader(here, null)) {
            Class<?> elsewhere = others.loadClass(FreePorts.class.getName());
            Set<Object> given = new HashSet<>();
            for (int i = 0; i < MANY; i++) {
                assertTrue(given.add(FreePorts.next()));
                assertTrue(given.add(elsewhere.getMethod("next").invoke(null)));
            }
        }
    }
}

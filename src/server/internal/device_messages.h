// Messages of the platform to devices, over the MQTT broker.
#pragma once

#include "io/clock.h"
#include "net/mqtt_broker.h"
#include "registry/device_exchange.h"

namespace tidegate::server {

// At least once. Overloaded while there is no broker.
[[nodiscard]] Result<> publish_to_device(net::MqttBroker* broker, const registry::DeviceMessage& message,
                                         const io::Clock& clock);

}  // namespace tidegate::server

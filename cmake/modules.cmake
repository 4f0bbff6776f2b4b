# The modules in their order: each may use only those above it.
foreach(module
    base io crypto columnar codec net egress store catalog log security registry sql lookup compute ingest engine sinks sim api server cli)
  if(EXISTS ${CMAKE_SOURCE_DIR}/src/${module}/CMakeLists.txt)
    add_subdirectory(src/${module})
  endif()
endforeach()
